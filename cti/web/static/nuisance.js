// Nuisance callers: an agent asks on the ticket, the lead decides, sees what is blocked and ends it.
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { ask } from "./api.js";
import { filler, useDuty } from "./duty.js";
import { dayTime, phone } from "./format.js";
import { t } from "./i18n.js";
import { me } from "./model.js";
import { html, Notice } from "./ui.js";

const rows = signal([]);
const refusal = signal(null);
const fill = filler(rows);
const load = () => fill("GET", "/blocks");

async function send(row, action, body) {
  const answer = await ask("POST", `/blocks/${encodeURIComponent(row.block_id)}/${action}`, body);
  refusal.value = answer.ok ? null : answer.problem;
  load();
}

// On the agent's ticket; whether the caller is marked is the service's to say.
export function AskBlock({ ticket }) {
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const reason = new FormData(event.currentTarget).get("reason").trim();
    const answer = await ask("POST", `/tickets/${encodeURIComponent(ticket.ticket_id)}/block`, { reason });
    setSaid(answer);
    if (answer.ok) setOpen(false);
  };
  if (!ticket.caller || !["agent", "lead"].includes(me.value.person.role)) return null;
  if (said?.ok) return html`<p class="done" role="status" data-test="block-asked">✓ ${t("block.asked")}</p>`;
  return html`<div class="block-ask"><button class="small" data-test="block-open" aria-expanded=${open}
      onClick=${() => setOpen(!open)}>${t("block.ask")}…</button>
    ${open && html`<form onSubmit=${submit}><input name="reason" maxlength="200" required autofocus
      aria-label=${t("block.reason")} placeholder=${t("block.reason")} data-test="block-reason" />
      <button class="small primary" data-test="block-send">${t("block.send")}</button></form>`}
    <${Notice} problem=${said?.problem} onClose=${() => setSaid(null)} /></div>`;
}

function Decide({ row }) {
  const decide = (event) => {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    const body = { agree: event.submitter.value === "yes", words: said.get("words").trim() };
    if (said.get("days")) body.days = Number(said.get("days"));
    send(row, "decide", body);
  };
  return html`<form onSubmit=${decide}>
    <input name="words" maxlength="200" required aria-label=${t("block.words")} placeholder=${t("block.words")}
      data-test="block-words" />
    <input name="days" type="number" min="1" aria-label=${t("block.days")} placeholder=${t("block.days")} data-test="block-days" />
    <button class="small primary" value="yes" data-test="block-agree">${t("block.agree")}</button>
    <button class="small" value="no" data-test="block-decline">${t("block.decline")}</button></form>`;
}

const Line = ({ row }) => html`<li data-test="block" data-state=${row.state}>
  <b class="num">${phone(row.number)}</b>
  <span class="grow">${t("block.by", { agent: row.asked_by })}: ${row.reason}</span>
  ${row.state === "active" && html`<span class="num" data-test="block-until">${t("block.until", { at: dayTime(row.until) })}</span>
    <span class="num" data-test="block-tries">${t("block.tries", { n: row.tries })}</span>
    <button class="small" data-test="block-end" onClick=${() => send(row, "end")}>${t("block.end")}</button>`}
  ${row.state === "asked" && (row.asked_by === me.value.person.number ? html`<span class="muted">${t("block.own")}</span>`
    : html`<${Decide} row=${row} />`)}</li>`;

// On the lead's desk.
export function Blocks() {
  useDuty(() => me.value.person.role === "lead" && load());
  if (!rows.value.length && !refusal.value) return null;
  return html`<section class="card blocks" data-test="blocks"><h2>${t("block.title")}
      <span class="count num">${rows.value.length}</span></h2>
    <ol>${rows.value.map((row) => html`<${Line} row=${row} key=${row.block_id} />`)}</ol>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} /></section>`;
}
