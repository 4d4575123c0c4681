// Handing the caller on: whom to, how, and what becomes of it; told by the board, never by the button.
import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { ask } from "./api.js";
import { filler, turns, useDuty } from "./duty.js";
import { dayTime, phone } from "./format.js";
import { language, t } from "./i18n.js";
import { board, me, mine } from "./model.js";
import { html, Icon, Notice, Since } from "./ui.js";

const OPEN = ["asked", "ringing", "consulting"];
const opened = signal(false);
const refusal = signal(null);
const units = signal([]);
const past = signal({ ticket: null, rows: [] });
const fillUnits = filler(units);
const turn = turns();

const nameOf = (unit) => unit?.[language.value];

const reached = (row) => {
  if (row.kind === "unit" || row.target_kind === "unit") return nameOf(units.value.find((u) => u.code === row.target)) ?? row.target;
  return row.target ? t("transfer.agent", { agent: row.target }) : t("transfer.unknown");
};

async function send(path, body) {
  const answer = await ask("POST", `/me/transfer${path}`, body);
  refusal.value = answer.ok ? null : answer.problem;
  if (answer.ok) opened.value = false;
}

function open() {
  opened.value = !opened.value;
  if (opened.value) fillUnits("GET", "/directory");
}

async function load(ticketId) {
  const newer = turn();
  const answer = await ask("GET", `/tickets/${encodeURIComponent(ticketId)}/transfers`);
  if (answer.ok && newer()) past.value = { ticket: ticketId, rows: answer.value };
}

const Choose = ({ kind, code, name, note }) => html`<li data-test="transfer-target" data-code=${code}>
  <span class="grow"><b>${name}</b> <span class="muted">${note}</span></span>
  <button class="small" data-test="transfer-consult" onClick=${() => send("", { how: "consult", kind, code })}>
    ${t("transfer.consult")}<span class="sr"> ${name}</span></button>
  <button class="small" data-test="transfer-blind" onClick=${() => send("", { how: "blind", kind, code })}>
    ${t("transfer.blind")}<span class="sr"> ${name}</span></button></li>`;

function Targets() {
  const { number } = me.value.person;
  const others = (board.value?.agents ?? []).filter((line) => line.number !== number && line.state !== "signed_out");
  others.sort((a, b) => (b.lead ?? false) - (a.lead ?? false));
  const lead = (line) => (line.lead ? t("transfer.lead") : "");
  return html`<div class="transfer-targets" data-test="transfer-targets">
    <h4>${t("transfer.colleagues")}</h4>
    <ul>${others.map((line) => html`<${Choose} key=${line.number} kind="agent" code=${line.number}
      name=${`${line.name} ${line.number}`} note=${`${lead(line)} ${t(`state.${line.state}`)}`} />`)}</ul>
    ${["specialist", "outside", "emergency"].map((role) => {
      const some = units.value.filter((unit) => unit.role === role);
      return some.length > 0 && html`<h4>${t(`transfer.${role}`)}</h4>
        <ul>${some.map((unit) => html`<${Choose} key=${unit.code} kind="unit" code=${unit.code} name=${nameOf(unit)}
          note=${unit.numbers.map(([digits]) => phone(digits)).join(" · ")} />`)}</ul>`;
    })}</div>`;
}

function UnderWay({ one }) {
  return html`<p class=${`transfer-now ${one.state}`} role="status" data-test="transfer-now" data-state=${one.state}>
    <${Icon} name="phone" /><b>${reached(one)}</b><span>${t(`transfer.state.${one.state}`)}</span>
    ${one.why && html`<span>${t(`transfer.why.${one.why}`)}</span>`}
    ${OPEN.includes(one.state) && html`<span class="num"><${Since} iso=${one.since} /></span>`}
    ${one.state === "consulting" && html`<button class="small primary" data-test="transfer-complete"
      aria-keyshortcuts="Alt+J" onClick=${() => send("/complete")}>${t("transfer.complete")}<kbd>Alt J</kbd></button>`}
    ${one.how === "consult" && OPEN.includes(one.state) && html`<button class="small" data-test="transfer-cancel"
      aria-keyshortcuts="Alt+B" onClick=${() => send("/cancel")}>${t("transfer.cancel")}<kbd>Alt B</kbd></button>`}</p>`;
}

const Past = ({ row }) => html`<li data-test="transfer-past" class="num">${dayTime(row.asked_at)}
  · ${t("transfer.agent", { agent: row.agent })} → ${reached(row)} · ${t(`transfer.state.${row.state}`)}
  ${row.why ? ` · ${t(`transfer.why.${row.why}`)}` : ""}</li>`;

export function TransferPanel({ ticket }) {
  useDuty(() => load(ticket.ticket_id));
  const one = mine.value?.transfer?.call_id === ticket.call_id ? mine.value.transfer : null;
  const live = mine.value?.state === "talking" && mine.value.call_id === ticket.call_id;
  const ready = live && !OPEN.includes(one?.state);
  useLayoutEffect(() => { // the keys work as soon as they are shown
    const keys = { KeyT: () => ready && open(), KeyJ: () => one?.state === "consulting" && send("/complete"),
      KeyB: () => one && OPEN.includes(one.state) && one.how === "consult" && send("/cancel") };
    const onKey = (event) => {
      if (!event.altKey || event.ctrlKey || event.metaKey || !keys[event.code]) return;
      event.preventDefault();
      keys[event.code]();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [ready, one?.state, one?.how]);
  const second = ticket.agent !== me.value.person.number;
  const rows = past.value.ticket === ticket.ticket_id ? past.value.rows : [];
  return html`<section class="transfer-panel" data-test="transfer-panel">
    <p class=${second ? "first-agent second" : "first-agent"} data-test="first-agent">
      ${t("transfer.first", { agent: ticket.agent })}</p>
    ${ready && html`<button data-test="transfer-open" aria-keyshortcuts="Alt+T" aria-expanded=${opened.value}
      onClick=${open}>${t("transfer.open")}<kbd>Alt T</kbd></button>`}
    ${one && html`<${UnderWay} one=${one} />`}
    ${ready && opened.value && html`<${Targets} />`}
    ${rows.length > 0 && html`<ol>${rows.map((row) => html`<${Past} row=${row} key=${row.transfer_id} />`)}</ol>`}
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} /></section>`;
}
