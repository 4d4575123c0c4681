// The agent's calls of today, and the way to the callbacks.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { clockText, phone, seconds, timeOf } from "./format.js";
import { t } from "./i18n.js";
import { loadLists, openTicket } from "./live.js";
import { callbacks, calls, me } from "./model.js";
import { go } from "./route.js";
import { html, Notice } from "./ui.js";

const refusal = signal(null);

const talk = (row) =>
  row.talk_ended_at ? clockText(Date.parse(row.talk_ended_at) - Date.parse(row.answered_at)) : t("calls.running");

const Recording = ({ row }) => {
  const kept = row.recording ?? "expected";
  const state = kept === "expected" && !row.talk_ended_at ? "running" : kept;
  return html`<span class=${`rec rec-${state}`}><i></i>${t(`recording.${state}`)}</span>`;
};

async function finish(id) {
  const answer = await ask("POST", `/tickets/${encodeURIComponent(id)}/finish`);
  refusal.value = answer.ok ? null : answer.problem;
  loadLists();
}

const Finish = ({ row }) => {
  if (!row.ticket_id) return null;
  if (row.closed_at) return html`<span class="done">✓ ${t("ticket.finished")}</span>`;
  if (row.owner !== me.value.person.number) return html`<span class="muted">${t("ticket.moved", { agent: row.owner })}</span>`;
  return html`<button class="small" data-test="finish" onClick=${() => finish(row.ticket_id)}>${t("ticket.finish")}</button>`;
};

function Calls() {
  if (!calls.value.length) return html`<p class="muted none">${t("calls.none")}</p>`;
  return html`<table class="list" data-test="calls"><thead><tr>
      <th>${t("calls.at")}</th><th>${t("calls.caller")}</th><th class="right">${t("pop.wait")}</th>
      <th class="right">${t("pop.ring")}</th><th class="right">${t("calls.talk")}</th><th>${t("calls.recording")}</th><th></th>
    </tr></thead><tbody>
    ${calls.value.map((row) => html`<tr key=${row.call_id}>
      <td class="num">${timeOf(row.answered_at)}</td><td class="num strong">${phone(row.caller) || t("pop.withheld")}</td>
      <td class="num right">${seconds(row.wait_ms)}</td><td class="num right">${seconds(row.ring_ms)}</td>
      <td class="num right">${talk(row)}</td><td><${Recording} row=${row} /></td>
      <td class="right"><${Finish} row=${row} />
        ${row.ticket_id && html`<button class="small" onClick=${() => openTicket(row.ticket_id)}>${t("calls.open")}</button>`}</td>
    </tr>`)}</tbody></table>`;
}

export function Lists() {
  if (!["agent", "lead"].includes(me.value.person.role)) return null;
  return html`<section class="card lists">
    <div class="tabs"><h2>${t("tab.calls")}<span class="count num">${calls.value.length}</span></h2>
      <a class="tab" href="/callbacks" data-test="open-callbacks" onClick=${(event) => (event.preventDefault(), go("/callbacks"))}>
        ${t("callback.open_desk")}<span class="count num">${callbacks.value.filter((c) => c.state === "due" || c.state === "placing").length}</span></a></div>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    <div class="scroll"><${Calls} /></div>
  </section>`;
}
