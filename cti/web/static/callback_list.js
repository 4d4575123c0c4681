// The list of the callback desk: by due time, coloured, walked through by keys.
import { useEffect, useRef } from "preact/hooks";
import { chosen, claim, open, rows, agreed } from "./callback_acts.js";
import { dayTime, phone } from "./format.js";
import { t } from "./i18n.js";
import { me, nameOf } from "./model.js";
import { loadWords, inWords } from "./stub_words.js";
import { html } from "./ui.js";

const due = (row) => row.appointment_at ?? row.due_at ?? row.deadline ?? row.requested_at;
const own = (row) => row.agent === me.value.person.number;

const Holder = ({ row }) => {
  if (!row.agent) return html`<span class="muted">${t("callback.unclaimed")}</span>`;
  return own(row) ? html`<b class="mine">${t("callback.mine")}</b>` : html`<span>${nameOf(row.agent)} <small class="num">${row.agent}</small></span>`;
};

function Line({ row }) {
  const here = chosen.value === row.callback_id;
  const place = useRef(null);
  useEffect(() => {
    if (here) place.current.scrollIntoView({ block: "nearest" });
  }, [here]);
  return html`<li ref=${place} id=${`line-${row.callback_id}`} role="option" aria-selected=${here} class=${`cb-line level-${row.level} ${here ? "here" : ""}`}
      data-test="callback-line" data-id=${row.callback_id} data-level=${row.level} onClick=${() => open(row)}>
    <span class="cb-level">${t(`callback.level.${row.level}`)}</span>
    <b class="num cb-due">${dayTime(due(row))}</b>
    <span class="num cb-number" data-test="callback-number">${phone(row.number)}</span>
    <span class="cb-what">${row.kind ? inWords("kinds", row.kind) : t(`callback.source.${row.source}`)}
      ${row.mandatory && html` <i class="tag">${t("callback.mandatory")}</i>`}</span>
    <span class="cb-holder" data-test="callback-holder"><${Holder} row=${row} /></span>
    <span class="num cb-tries" title=${t("callback.attempts")}>${row.attempts.length || ""}</span>
  </li>`;
}

function step(by) {
  const all = rows.value;
  if (!all.length) return;
  const at = all.findIndex((row) => row.callback_id === chosen.value);
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
  open(next);
}

// Enter on a line that nobody has claimed claims it: from the list to the work without the mouse.
function onKey(event) {
  const row = rows.value.find((line) => line.callback_id === chosen.value);
  if (event.key === "ArrowDown") step(1);
  else if (event.key === "ArrowUp") step(-1);
  else if (event.key === "Enter" && row && !row.agent) claim(row);
  else if (event.key === "Enter" && row && own(row)) open(row);
  else return;
  event.preventDefault();
}

export function CallbackList() {
  const list = useRef(null);
  useEffect(() => {
    loadWords();
    list.current.focus();
  }, []);
  return html`<section class="card cb-list" aria-label=${t("callback.list")}>
    <h2>${t("callback.list")}<span class="count num" data-test="callback-count">${rows.value.length}</span></h2>
    <p class="muted cb-keys"><kbd>↑</kbd><kbd>↓</kbd> ${t("callback.keys.walk")} · <kbd>Enter</kbd> ${t("callback.keys.claim")}</p>
    ${!rows.value.length && html`<p class="muted none">${t("callback.none")}</p>`}
    <ol role="listbox" tabindex="0" ref=${list} aria-label=${t("callback.list")} data-test="callbacks" onKeyDown=${onKey}
        aria-activedescendant=${chosen.value ? `line-${chosen.value}` : null}>
      ${rows.value.map((row) => html`<${Line} row=${row} key=${row.callback_id} />`)}</ol></section>`;
}

const dayOf = (iso) => dayTime(iso).slice(0, 5);

// The calendar: agreed times, day by day.
export function Appointments() {
  const days = new Map();
  for (const row of agreed.value) days.set(dayOf(row.appointment_at), [...(days.get(dayOf(row.appointment_at)) ?? []), row]);
  return html`<section class="card cb-days" data-test="appointments"><h2>${t("callback.appointments")}
      <span class="count num">${agreed.value.length}</span></h2>
    ${!agreed.value.length && html`<p class="muted none">${t("callback.no_appointments")}</p>`}
    <div class="cb-calendar">${[...days].map(([day, found]) => html`<div key=${day}><h3 class="num">${day}</h3>
      <ul>${found.map((row) => html`<li key=${row.callback_id} class=${`level-${row.level}`} onClick=${() => open(row)} data-test="appointment">
        <b class="num">${dayTime(row.appointment_at).slice(-5)}</b> <span class="num">${phone(row.number)}</span>
        <small><${Holder} row=${row} /></small></li>`)}</ul></div>`)}</div></section>`;
}
