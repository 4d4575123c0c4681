// Seats that stand empty: the time allowed runs down, then up in red. The service has measured them; a page only carries them on.
import { computed } from "@preact/signals";
import { t } from "./i18n.js";
import { board } from "./model.js";
import { Countdown, html, Since } from "./ui.js";

export const gaps = computed(() => board.value?.duty?.gaps ?? []);
export const handovers = computed(() => board.value?.duty?.handovers ?? []);

// Where no rule says how long a seat may stand empty, the time is shown alone.
export const GapCount = ({ gap, size = "" }) => gap.limit_ms === null
  ? html`<span class="num"><${Since} iso=${gap.since} /></span>`
  : html`<${Countdown} since=${gap.since} limit=${gap.limit_ms / 1000} size=${size} />`;

const Gap = ({ gap }) => html`<li class=${gap.alarmed ? "bad" : ""} data-test="gap" data-seat=${gap.seat}>
  <${GapCount} gap=${gap} />
  <div><b>${t("handover.seat_empty", { seat: gap.seat })}</b>
    <small class="num">${t("handover.gap_who", { outgoing: gap.outgoing, incoming: gap.incoming })}</small></div></li>`;

export function Gaps() {
  if (!gaps.value.length) return null;
  return html`<ul class="gaps" role="status" data-test="gaps">${gaps.value.map((gap) => html`<${Gap} gap=${gap} key=${gap.seat} />`)}</ul>`;
}
