// One callback being made: the unit's reply and the recording first, then the key that dials, then what came of it.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { dial, invite, owed, previewed, refusal, rows, chosen, claim, saved, shown } from "./callback_acts.js";
import { Outcome } from "./callback_outcome.js";
import { LeadActs } from "./callback_lead.js";
import { dayTime, phone, timeOf } from "./format.js";
import { t } from "./i18n.js";
import { me, nameOf } from "./model.js";
import { OfTicket, Talk } from "./player.js";
import { Replies } from "./replies.js";
import { inWords } from "./stub_words.js";
import { html, Icon, Notice } from "./ui.js";

const Fact = ({ name, children }) => html`<div><dt>${name}</dt><dd class="num">${children}</dd></div>`;

const Facts = ({ row }) => html`<dl class="cb-facts">
  <${Fact} name=${t("callback.ticket")}>${[row.ticket_id, ...row.joined].filter(Boolean).join(" · ") || "–"}<//>
  <${Fact} name=${t("stub.kind")}>${row.kind ? inWords("kinds", row.kind) : "–"}<//>
  <${Fact} name=${t("stub.unit")}>${row.unit ? inWords("units", row.unit) : "–"}<//>
  <${Fact} name=${t("callback.deadline")}>${dayTime(row.deadline)}<//>
  <${Fact} name=${t("callback.due_at")}>${dayTime(row.appointment_at ?? row.due_at)}<//>
  <${Fact} name=${t("callback.source")}>${t(`callback.source.${row.source}`)}<//></dl>`;

// The conversation is its agent's until he has said what came of it, and the lead's: the service plays it to nobody else.
const hears = (row) => me.value.person.role === "lead" || (row.agent === me.value.person.number && row.result === null);

const Attempts = ({ row }) => row.attempts.length > 0 && html`<section class="cb-attempts"><h3>${t("callback.attempts")}</h3>
  <table data-test="attempts"><tbody>${row.attempts.map((one) => html`<tr key=${one.ordinal}>
    <td class="num">${one.ordinal}</td><td class="num">${dayTime(one.started_at)}</td><td>${nameOf(one.agent)} <small class="num">${one.agent}</small></td>
    <td><span class=${`result ${["reached", "placing"].includes(one.outcome) ? "" : "bad"}`}>${t(`attempt.${one.outcome}`)}</span></td>
    <td class="num muted">${one.ended_at ? timeOf(one.ended_at) : ""}</td>
    <td>${one.recording && hears(row) && html`<${Talk} callbackId=${row.callback_id} ordinal=${one.ordinal} state=${one.recording} />`}</td></tr>`)}</tbody></table></section>`;

// One of the tickets that are spoken of in the conversation: what its unit says, and the call that it came from.
const Matter = ({ matter, named }) => html`<section data-test="matter">${named && html`<h4 class="num">${matter.ticket_id}</h4>`}
  <${Replies} ticket=${matter} />
  ${!matter.replies && html`<p class="muted" data-test="no-reply">${t("callback.no_reply")}</p>`}
  <${OfTicket} ticketId=${matter.ticket_id} state=${matter.recording} /></section>`;

// It has been opened once it is painted: the service dials only after that.
function Preview({ row }) {
  const [extension, setExtension] = useState("");
  useEffect(() => void previewed(row).then((answer) => answer.ok && setExtension(answer.value.extension)), [row.callback_id]);
  return html`<section class="cb-preview" data-test="preview"><h3>${t("callback.preview")}</h3>
    ${row.matters.map((matter) => html`<${Matter} matter=${matter} named=${row.matters.length > 1} key=${matter.ticket_id} />`)}
    ${!row.matters.length && html`<p class="muted" data-test="no-reply">${t("callback.no_reply")}</p><p class="muted" data-test="no-recording">${t("callback.no_recording")}</p>`}
    ${extension && html`<p class="strong num" data-test="extension">${t("callback.extension", { n: extension })}</p>`}</section>`;
}

const WAYS = { Digit2: "dial", Digit3: "release", Digit4: "invite" };

function Own({ row }) {
  const key = useRef(null);
  useEffect(() => key.current?.focus(), [row.callback_id]);
  const acts = { dial: () => dial(row), release: () => owed(row, "release"), invite: () => invite(row) };
  useLayoutEffect(() => {
    const onKey = (event) => {
      if (!event.altKey || event.ctrlKey || event.metaKey || !WAYS[event.code]) return;
      event.preventDefault();
      acts[WAYS[event.code]]();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [row.callback_id]);
  const open = row.closed_at === null;
  return html`<${Preview} row=${row} key=${row.callback_id} />
    ${open && html`<div class="cb-acts">
      <button class="primary" ref=${key} data-test="dial" disabled=${row.state === "placing"} aria-keyshortcuts="Alt+2" onClick=${acts.dial}>
        <${Icon} name="phone" /> ${t(row.state === "placing" ? "callback.placing" : "callback.dial")}<kbd>Alt 2</kbd></button>
      ${row.state === "placing" && html`<button data-test="invite" aria-keyshortcuts="Alt+4" onClick=${acts.invite}>${t("voice.rate")}<kbd>Alt 4</kbd></button>`}
      <button data-test="release" aria-keyshortcuts="Alt+3" onClick=${acts.release}>${t("callback.release")}<kbd>Alt 3</kbd></button></div>`}
    <${Outcome} row=${row} key=${`say-${row.callback_id}`} />`;
}

const Head = ({ row }) => html`<header class=${`cb-head level-${row.level}`}><h2 class="num" data-test="work-number">${phone(row.number)}</h2>
  ${row.mandatory && html`<span class="tag">${t("callback.mandatory")}</span>`}
  <span class=${`result cb-${row.state}`} data-test="work-state">${t(`callback.${row.state}`)}</span>
  ${row.result && html`<span class=${`result ${row.result === "dissatisfied" ? "bad" : ""}`} data-test="work-result">${t(`callback.result.${row.result}`)}</span>`}
  ${row.override_by && html`<small>${t("callback.overridden", { by: row.override_by })}</small>`}</header>`;

export function CallbackWork() {
  const row = shown.value ?? rows.value.find((line) => line.callback_id === chosen.value);
  const own = row && row.agent === me.value.person.number;
  return html`<section class="card cb-work" data-test="callback-work">
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    ${saved.value && html`<p class="done" role="status" data-test="saved">✓ ${t("callback.saved", { what: t(`callback.what.${saved.value}`) })}</p>`}
    ${!row && html`<p class="muted none">${t("callback.choose")}</p>`}
    ${row && html`<${Head} row=${row} /><${Facts} row=${row} />`}
    ${row && !row.agent && html`<div class="cb-acts"><button class="primary" data-test="claim" onClick=${() => claim(row)}>
      ${t("callback.claim")}<kbd>Enter</kbd></button></div>`}
    ${row && row.agent && !own && html`<p data-test="held">${t("callback.held", { agent: `${nameOf(row.agent)} ${row.agent}`.trim() })}</p>`}
    ${row && me.value.person.role === "lead" && html`<${LeadActs} row=${row} key=${row.callback_id} />`}
    ${own && html`<${Own} row=${row} key=${`own-${row.callback_id}`} />`}
    ${row && html`<${Attempts} row=${row} />`}</section>`;
}
