// Stubs that another channel opened and nobody has taken yet: the oldest first, each with its clock.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { filler, useDuty } from "./duty.js";
import { dayTime } from "./format.js";
import { t } from "./i18n.js";
import { pop } from "./model.js";
import { Clock } from "./stub_facts.js";
import { inWords, loadWords } from "./stub_words.js";
import { html, Notice } from "./ui.js";

const rows = signal([]);
const refusal = signal(null);
const fill = filler(rows);

async function load() {
  await fill("GET", "/stubs/unowned");
  if (rows.value.length) loadWords();
}

async function take(id) {
  const answer = await ask("POST", `/tickets/${encodeURIComponent(id)}/take`);
  refusal.value = answer.ok ? null : answer.problem;
  if (answer.ok) pop.value = answer.value;
  load();
}

export function UnownedStubs() {
  useDuty(load);
  if (!rows.value.length && !refusal.value) return null;
  return html`<section class="card unowned" data-test="unowned"><h2>${t("stub.unowned", { n: rows.value.length })}</h2>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    <ol>${rows.value.map((row) => html`<li key=${row.ticket_id}>
      <b>${inWords("channels", row.channel)}</b><span>${row.kind ? inWords("kinds", row.kind) : t("stub.no_kind")}</span>
      <span class="num muted">${dayTime(row.opened_at)}</span><${Clock} stub=${row} />
      <button class="small" data-test="take" onClick=${() => take(row.ticket_id)}>${t("stub.take_on")}</button></li>`)}</ol></section>`;
}
