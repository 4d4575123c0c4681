// The callback desk (回访台): the day's progress, the list, the work, appointments, and for the lead what he decides.
import { loadSoon, send } from "./callback_acts.js";
import { LeadPanel } from "./callback_lead.js";
import { Appointments, CallbackList } from "./callback_list.js";
import { CallbackWork } from "./callback_work.js";
import { useDuty } from "./duty.js";
import { t } from "./i18n.js";
import { board, me } from "./model.js";
import { Banners, html, Icon, TopBar } from "./ui.js";

const Figure = ({ name, value, level = "" }) => html`<div class=${level} data-test=${`progress-${name}`}><small>${t(`callback.progress.${name}`)}</small>
  <b class="num">${value}</b></div>`;

const sum = (figures = {}) => Object.values(figures).reduce((all, one) => all + one, 0);

function Progress() {
  const day = board.value?.duty?.owed;
  if (!day) return null;
  const { sample } = day;
  const unfit = sum(board.value.duty.callbacks_fit);
  return html`<section class="cb-progress" aria-label=${t("callback.progress")}>
    <${Figure} name="open" value=${day.open} /><${Figure} name="made" value=${day.made} />
    <${Figure} name="unclaimed" value=${day.unclaimed} /><${Figure} name="mandatory_left" value=${day.mandatory_left} level=${day.mandatory_left ? "near" : ""} />
    <${Figure} name="sample" value=${`${sample.made} / ${sample.made + sample.open}`} />
    <${Figure} name="late" value=${day.late} level=${day.late ? "bad" : ""} />
    <${Figure} name="unfit" value=${unfit} level=${unfit ? "bad" : ""} /></section>`;
}

// Why nothing is dialled now, said before somebody tries.
function Held() {
  const dialling = board.value?.duty?.dialling;
  if (!dialling || (!dialling.recording_trouble && dialling.clock_trusted)) return null;
  return html`<div class="banner bad" role="alert" data-test="dialling-held"><${Icon} name="warn" />
    ${dialling.recording_trouble ? t("callback.not_recorded") : t("callback.clock_untrusted")}
    ${!dialling.clock_trusted && me.value.person.role === "lead" && html`<button class="small" data-test="clock-right"
      onClick=${() => send("POST", "/callbacks/clock")}>${t("callback.clock_right")}</button>`}</div>`;
}

const Export = () => html`<p class="cb-export">${t("callback.export")}
  ${["xlsx", "csv"].map((format) => html`<a class="small" key=${format} href=${`/api/v1/callback-desk/export?format=${format}`} download
    data-test=${`export-${format}`}>${format.toUpperCase()}</a>`)}</p>`;

export function CallbackPage() {
  useDuty(loadSoon);
  const leads = me.value.person.role === "lead";
  return html`<div class="page callbacks"><${TopBar} /><${Banners} /><${Held} />
    <div class="cb-top"><${Progress} />${leads && html`<${Export} />`}</div>
    <div class="cb-columns"><${CallbackList} />
      <main><${CallbackWork} /><${Appointments} />${leads && html`<${LeadPanel} />`}</main></div></div>`;
}
