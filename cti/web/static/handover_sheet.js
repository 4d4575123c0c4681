// One handover sheet: its lines, and what each of the three may do with a line.
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { ask } from "./api.js";
import { dayTime, timeOf } from "./format.js";
import { t } from "./i18n.js";
import { html } from "./ui.js";

export const refusal = signal(null);

// Every act of the handover: a refusal stays on the page with its articles.
export async function act(path, body) {
  const answer = await ask("POST", `/handovers/${path}`, body);
  refusal.value = answer.ok ? null : answer.problem;
  return answer.ok;
}

const onItem = (item, verb, body) => act(`items/${encodeURIComponent(item.item_id)}/${verb}`, body);

function Why({ label, test, onSay, onLeave }) {
  const [words, setWords] = useState("");
  const submit = (event) => (event.preventDefault(), onSay(words));
  return html`<form class="why" onSubmit=${submit}>
    <input required maxlength="200" autofocus value=${words} placeholder=${t("handover.reason")} aria-label=${t("handover.reason")}
      data-test=${`${test}-reason`} onInput=${(event) => setWords(event.target.value)} />
    <button class="small primary" data-test=${`${test}-send`}>${label}</button>
    <button class="small" type="button" onClick=${onLeave}>${t("handover.cancel")}</button></form>`;
}

function Acts({ item, side }) {
  const [asking, setAsking] = useState(null);
  const leave = () => setAsking(null);
  const say = async (verb, body) => (await onItem(item, verb, body)) && leave();
  if (side === "incoming" && asking) {
    return html`<${Why} label=${t("handover.dispute")} test="dispute" onLeave=${leave} onSay=${(reason) => say("dispute", { reason })} />`;
  }
  if (side === "lead" && asking) {
    return html`<${Why} label=${t(`handover.settle_${asking}`)} test="settle" onLeave=${leave}
      onSay=${(reason) => say("settle", { ordered: asking === "ordered", reason })} />`;
  }
  if (side === "incoming" && (item.state === "open" || item.state === "disputed")) {
    return html`<span class="acts"><button class="small primary" data-test="take" onClick=${() => say("take")}>${t("handover.take")}</button>
      ${item.state === "open" && html`<button class="small" data-test="dispute" onClick=${() => setAsking("why")}>${t("handover.dispute")}</button>`}</span>`;
  }
  if (side === "lead" && item.state === "disputed") {
    return html`<span class="acts"><button class="small" data-test="settle-ordered" onClick=${() => setAsking("ordered")}>${t("handover.settle_ordered")}</button>
      <button class="small" data-test="settle-kept" onClick=${() => setAsking("kept")}>${t("handover.settle_kept")}</button></span>`;
  }
  return null;
}

const about = (callback) => t("handover.callback", {
  number: callback.number, ticket: callback.ticket_id ?? "–", due: dayTime(callback.appointment_at ?? callback.due_at),
  deadline: dayTime(callback.deadline), attempts: callback.attempts,
});

// A day's callbacks may be hundreds: each is taken by itself, one after the other, with one press.
function TakeCallbacks({ pair }) {
  const open = pair.items.filter((item) => item.kind === "callback" && item.state === "open");
  if (open.length < 2) return null;
  const take = async () => {
    for (const item of open) if (!(await onItem(item, "take"))) return;
  };
  return html`<button class="small" data-test="take-callbacks" onClick=${take}>${t("handover.take_callbacks", { n: open.length })}</button>`;
}

const Line = ({ item, side, onOpen }) => html`<li data-test="item" data-kind=${item.kind} data-state=${item.state}>
  <span class="kind">${t(`handover.kind.${item.kind}`)}</span>
  <div class="grow"><span class=${item.subject ? "num id" : ""}>${item.callback ? about(item.callback) : item.text || item.subject}</span>
    ${onOpen && item.kind === "ticket" && html` <button class="small" onClick=${() => onOpen(item.subject)}>${t("calls.open")}</button>`}
    ${item.reason && html`<small>${t("handover.disputed_by", { agent: item.decided_by, reason: item.reason })}</small>`}
    ${item.settled_reason && html`<small>${t("handover.settled_by", { agent: item.settled_by, reason: item.settled_reason })}</small>`}</div>
  <${Acts} item=${item} side=${side} />
  <span class=${`item-state item-${item.state}`}>${t(`handover.item.${item.state}`)}</span></li>`;

const Signed = ({ name, at }) => html`<span class=${at ? "signed" : "muted"}>${name}
  ${at ? html` ✓ <span class="num">${timeOf(at)}</span>` : ` ${t("handover.unsigned")}`}</span>`;

// *side*: outgoing, incoming, lead, or "" for somebody who only reads.
export const Sheet = ({ pair, side, onOpen }) => html`<div class="sheet" data-test="sheet" data-outgoing=${pair.outgoing}>
  ${!pair.items.length && html`<p class="muted none">${t("handover.nothing")}</p>`}
  ${side === "incoming" && html`<${TakeCallbacks} pair=${pair} />`}
  <ul>${pair.items.map((item) => html`<${Line} item=${item} side=${side} onOpen=${onOpen} key=${item.item_id} />`)}</ul>
  <p class="signatures"><${Signed} name=${t("handover.sign_out_side")} at=${pair.out_signed_at} />
    <${Signed} name=${t("handover.sign_in_side")} at=${pair.in_signed_at} /></p></div>`;

export function AddLine({ handoverId, outgoing }) {
  const [kind, setKind] = useState("note");
  const [text, setText] = useState("");
  async function submit(event) {
    event.preventDefault();
    if (await act(`${encodeURIComponent(handoverId)}/items`, { outgoing, kind, text })) setText("");
  }
  return html`<form class="add-line" onSubmit=${submit}>
    <select value=${kind} aria-label=${t("handover.kind")} data-test="item-kind" onChange=${(event) => setKind(event.target.value)}>
      ${["note", "equipment"].map((name) => html`<option value=${name}>${t(`handover.kind.${name}`)}</option>`)}</select>
    <input required maxlength="200" value=${text} placeholder=${t("handover.text")} aria-label=${t("handover.text")} data-test="item-text"
      onInput=${(event) => setText(event.target.value)} />
    <button data-test="item-add">${t("handover.add")}</button></form>`;
}
