// What the responsible unit answered, as its own system reported it, on the ticket.
import { effect, useSignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { filler } from "./duty.js";
import { dayTime } from "./format.js";
import { t } from "./i18n.js";
import { board } from "./model.js";
import { html } from "./ui.js";

export function Replies({ ticket }) {
  const rows = useSignal([]);
  const [fill] = useState(() => filler(rows));
  useEffect(() => {
    let seen = null;
    return effect(() => {
      const count = board.value?.duty?.replies ?? 0;
      if (count === seen) return;
      seen = count;
      fill("GET", `/tickets/${encodeURIComponent(ticket.ticket_id)}/replies`);
    });
  }, []);
  if (!rows.value.length) return null;
  return html`<section aria-label=${t("replies.title")} data-test="replies">
    <h3>${t("replies.title")}</h3>
    <table><tbody>
      ${rows.value.map((row) => html`<tr key=${row.at + row.reported_at}>
        <td class="num">${dayTime(row.at)}</td>
        <td>${t(`replies.${row.result}`)}</td>
        <td>${row.text}</td>
        <td class="muted">${row.reported_by}</td></tr>`)}
    </tbody></table>
  </section>`;
}
