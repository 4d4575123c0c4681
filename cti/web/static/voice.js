// What the caller hears by the agent's key, how he rated, and outage notices.
import { signal, useSignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { ask } from "./api.js";
import { filler, useDuty } from "./duty.js";
import { dayTime } from "./format.js";
import { language, t } from "./i18n.js";
import { board, me, mine } from "./model.js";
import { html, Icon, Notice } from "./ui.js";

const PROMPTS = ["recorded", "nuisance"];
const ENDINGS = ["rate", "silent"];

// Keys while the agent talks: a prompt that both hear, or an end after which Asterisk goes on with the caller.
export function VoiceKeys({ ticket }) {
  const [said, setSaid] = useState(null);
  const live = mine.value?.state === "talking" && mine.value.call_id === ticket.call_id;
  if (!live) return null;
  const send = async (path, body, name) => {
    const answer = await ask("POST", `/calls/${encodeURIComponent(ticket.call_id)}/${path}`, body);
    setSaid({ ...answer, name });
  };
  const key = (path, field, name) => html`<button class="small" key=${name} data-test=${`voice-${name}`}
    onClick=${() => send(path, { [field]: name }, name)}>${t(`voice.${name}`)}</button>`;
  return html`<div class="voice" role="group" aria-label=${t("voice.title")} data-test="voice">
    <span class="muted">${t("voice.title")}</span>
    ${PROMPTS.map((name) => key("announce", "prompt", name))}
    ${ENDINGS.map((name) => key("end", "ending", name))}
    <span role="status">${said?.ok && html`<span class="done" data-test="voice-said">✓ ${t(`voice.${said.name}`)}</span>`}</span>
    <${Notice} problem=${said?.problem} onClose=${() => setSaid(null)} /></div>`;
}

// How the caller rated, once he has; asked for again with every change of duty.
export function CallersRating({ ticket }) {
  const said = useSignal(null);
  const [fill] = useState(() => filler(said));
  useDuty(() => fill("GET", `/tickets/${encodeURIComponent(ticket.ticket_id)}/rating`));
  const rating = said.value?.rating;
  return rating && html`<p class="muted" data-test="rating">${t("rating.title")} <b>${t(`rating.${rating}`)}</b></p>`;
}

const areaOf = (outage) => (language.value === "zh" ? outage.area_zh : outage.area_en) || outage.area || t("outage.everywhere");

const asArea = (area) => (area ? { area_zh: area.zh, area_en: area.en } : {});

const Line = ({ outage, children }) => html`<li data-test="outage">
  <b>${areaOf(outage)} · ${t(`outage.${outage.kind}`)}</b> <span class="grow">${outage.text}</span>
  <span class="num muted">${dayTime(outage.from_at)} – ${dayTime(outage.until)}</span> ${children}</li>`;

// What callers of an area are told now, so that the agents say the same.
export function OutageNotes() {
  const told = board.value?.duty?.outages ?? [];
  if (!told.length) return null;
  return html`<section class="outages" aria-label=${t("outage.title")} data-test="outages"><h3><${Icon} name="warn" /> ${t("outage.title")}</h3>
    <ul>${told.map((outage) => html`<${Line} outage=${outage} key=${outage.outage_id} />`)}</ul></section>`;
}

const rows = signal([]);
const refusal = signal(null);
const areas = signal([]);
const fill = filler(rows);
const load = () => fill("GET", "/outages");

async function send(path, body) {
  const answer = await ask("POST", path, body);
  refusal.value = answer.ok ? null : answer.problem;
  load();
  return answer.ok;
}

const instant = (text) => (text ? new Date(text).toISOString() : null);

async function put(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const said = new FormData(form);
  const times = { from_at: instant(said.get("from_at")), until: instant(said.get("until")) };
  const done = await send("/outages", { area: said.get("area"), kind: said.get("kind"), text: said.get("text").trim(), ...times });
  if (done) form.reset();
}

const Field = ({ name, children }) => html`<label><span>${t(`outage.${name}`)}</span>${children}</label>`;

// Who hears what, until when; a new notice replaces the open one of its area.
function OutageNotices() {
  useDuty(load);
  useEffect(() => {
    ask("GET", "/stub-words").then((answer) => answer.ok && (areas.value = answer.value.areas));
  }, []);
  const named = (row) => ({ ...row, ...asArea(areas.value.find((area) => area.code === row.area)) });
  return html`<section class="card outage-desk" data-test="outage-desk"><h2>${t("outage.title")}
      <span class="count num">${rows.value.length}</span></h2>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    <ul>${rows.value.map((row) => html`<${Line} outage=${named(row)} key=${row.outage_id}>
      <button class="small" data-test="outage-end" onClick=${() => send(`/outages/${encodeURIComponent(row.outage_id)}/end`)}>
        ${t("outage.end")}</button><//>`)}</ul>
    <form onSubmit=${put} data-test="outage-form">
      <${Field} name="area"><select name="area">
        <option value="">${t("outage.everywhere")}</option>
        ${areas.value.map((area) => html`<option value=${area.code} key=${area.code}>${areaOf(asArea(area))}</option>`)}</select><//>
      <${Field} name="kind"><select name="kind">
        ${["sudden", "planned"].map((kind) => html`<option value=${kind} key=${kind}>${t(`outage.${kind}`)}</option>`)}</select><//>
      <${Field} name="text"><input name="text" maxlength="200" required data-test="outage-text" /><//>
      <${Field} name="from_at"><input name="from_at" type="datetime-local" /><//>
      <${Field} name="until"><input name="until" type="datetime-local" /><//>
      <button class="small primary" data-test="outage-put">${t("outage.put")}</button>
    </form></section>`;
}

export const OutageDesk = () => me.value.person.role === "lead" && html`<${OutageNotices} />`;
