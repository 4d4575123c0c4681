// The ledgers of a day as files: the duty log and the tickets, for Excel or to print.
import { signal } from "@preact/signals";
import { t } from "./i18n.js";
import { today } from "./roster_days.js";
import { html } from "./ui.js";

const chosen = signal(""); // empty: today
const LEDGERS = { duty: "duty-log", tickets: "tickets" };

const Links = ({ name, day }) => html`<span class="ledger">${t(`ledger.${name}`)}
  ${["csv", "xlsx"].map((kind) => html`<a class="small" data-test=${`ledger-${name}-${kind}`} key=${kind} download
    aria-label=${`${t(`ledger.${name}`)} ${kind.toUpperCase()}`} href=${`/api/v1/${LEDGERS[name]}/export?first=${day}&last=${day}&format=${kind}`}>${kind.toUpperCase()}</a>`)}</span>`;

export function Ledgers() {
  const day = chosen.value || today.value;
  return html`<section class="card ledgers" data-test="ledgers"><h2>${t("ledger.title")}</h2>
    <div class="stub-row"><label class="stub-choice">${t("ledger.day")}<input type="date" data-test="ledger-day" value=${day}
      max=${today.value} onChange=${(event) => { chosen.value = event.target.value; }} /></label>
      ${Object.keys(LEDGERS).map((name) => html`<${Links} name=${name} day=${day} key=${name} />`)}</div></section>`;
}
