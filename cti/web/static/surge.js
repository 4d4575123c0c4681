// Surges: many tickets of one area or kind at once; their group, and the outage notice that is suggested.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { filler, useDuty } from "./duty.js";
import { clockTime, timeOf } from "./format.js";
import { t } from "./i18n.js";
import { board, me } from "./model.js";
import { inWords, loadWords } from "./stub_words.js";
import { html, Icon, Notice } from "./ui.js";

const surges = signal([]);
const fill = filler(surges);
const refusal = signal(null);
const announced = signal(new Set()); // surges whose notice was put out from this page

function load() {
  if (me.value.person.role === "auditor") return; // the list leads to callers
  if (!board.value?.duty?.surges?.length && !surges.value.length) return;
  fill("GET", "/surges");
  loadWords();
}

async function takeOut(surge, ticket) {
  const answer = await fill("POST", `/surges/${encodeURIComponent(surge.surge_id)}/take-out`, { ticket_id: ticket.ticket_id });
  refusal.value = answer.ok ? null : answer.problem;
}

const announce = (surge) => async (event) => {
  event.preventDefault();
  const text = new FormData(event.currentTarget).get("text").trim();
  const answer = await ask("POST", "/outages", { area: surge.notice_area, kind: "sudden", text });
  refusal.value = answer.ok ? null : answer.problem;
  if (answer.ok) announced.value = new Set(announced.value).add(surge.surge_id);
};

const Ticket = ({ surge, ticket, lead }) => html`<li data-test="surge-ticket">
  <span class="num">${timeOf(ticket.opened_at)}</span><span class="num id">${ticket.ticket_id}</span>
  <span>${ticket.area ? inWords("areas", ticket.area) : ""} ${ticket.kind ? inWords("kinds", ticket.kind) : ""}</span>
  ${lead && html`<button class="small" data-test="take-out" onClick=${() => takeOut(surge, ticket)}>${t("surge.take_out")}</button>`}</li>`;

function Card({ surge }) {
  const lead = me.value.person.role === "lead";
  const group = surge.tickets.filter((ticket) => ticket.out_at === null);
  return html`<section class="card surge" data-test="surge"><h2><${Icon} name="warn" />
      ${t(`surge.${surge.by}`, { code: inWords(surge.by === "area" ? "areas" : "kinds", surge.code) })}<span class="count num" data-test="surge-count">${group.length}</span>
      <small class="num">${t("surge.since", { at: clockTime(surge.began_at) })}</small></h2>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    ${lead && (announced.value.has(surge.surge_id)
      ? html`<p class="done" data-test="surge-announced">✓ ${t("surge.announced")}</p>`
      : html`<form class="missed-end" onSubmit=${announce(surge)}>
          <input name="text" required maxlength="200" defaultValue=${surge.notice} aria-label=${t("surge.notice")} data-test="surge-text" />
          <button class="small primary" data-test="surge-announce">${t("surge.announce")}</button></form>`)}
    <details><summary>${t("surge.tickets")}</summary>
      <ol>${group.map((ticket) => html`<${Ticket} surge=${surge} ticket=${ticket} lead=${lead} key=${ticket.ticket_id} />`)}</ol></details></section>`;
}

export function Surges() {
  useDuty(load);
  return surges.value.map((surge) => html`<${Card} surge=${surge} key=${surge.surge_id} />`);
}
