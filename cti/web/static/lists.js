// The agent's calls of today, and the callbacks.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { clockText, dayTime, phone, seconds, timeOf } from "./format.js";
import { t } from "./i18n.js";
import { loadLists, openTicket } from "./live.js";
import { callbacks, calls, me } from "./model.js";
import { html, Icon, Notice } from "./ui.js";

const shown = signal("calls");
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

async function dial(id) {
  const answer = await ask("POST", `/callbacks/${encodeURIComponent(id)}/dial`);
  refusal.value = answer.ok ? null : answer.problem;
  loadLists();
}

function Callbacks() {
  if (!callbacks.value.length) return html`<p class="muted none">${t("callback.none")}</p>`;
  return html`<table class="list" data-test="callbacks"><thead><tr>
      <th>${t("callback.number")}</th><th>${t("callback.agent")}</th><th>${t("callback.state")}</th>
      <th>${t("callback.due_at")}</th><th class="right">${t("callback.attempts")}</th><th></th>
    </tr></thead><tbody>
    ${callbacks.value.map((row) => html`<tr key=${row.callback_id}>
      <td class="num strong">${phone(row.number)}</td><td class="num">${row.agent}</td>
      <td><span class=${`result cb-${row.state}`}>${t(`callback.${row.state}`)}</span></td>
      <td class="num">${row.state === "due" ? dayTime(row.due_at) : "–"}</td>
      <td class="num right">${row.attempts}${row.last_outcome ? ` · ${t(`attempt.${row.last_outcome}`)}` : ""}</td>
      <td class="right">${row.state === "due" && html`<button class="small" onClick=${() => dial(row.callback_id)}>
        <${Icon} name="phone" />${t("callback.dial")}</button>`}</td>
    </tr>`)}</tbody></table>`;
}

const Choice = ({ name, count }) => html`<button role="tab" aria-selected=${shown.value === name}
  class=${shown.value === name ? "tab here" : "tab"} data-test=${`tab-${name}`} onClick=${() => (shown.value = name)}>
  ${t(`tab.${name}`)}<span class="count num">${count}</span></button>`;

export function Lists() {
  if (!["agent", "lead"].includes(me.value.person.role)) return null;
  return html`<section class="card lists">
    <div class="tabs" role="tablist"><${Choice} name="calls" count=${calls.value.length} />
      <${Choice} name="callbacks" count=${callbacks.value.filter((c) => c.state === "due" || c.state === "placing").length} /></div>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    <div class="scroll">${shown.value === "calls" ? html`<${Calls} />` : html`<${Callbacks} />`}</div>
  </section>`;
}
