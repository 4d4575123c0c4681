// The agent's page: own state, the pop, own calls.
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { ask } from "./api.js";
import { OwnFindings } from "./findings.js";
import { OwnHandover } from "./handover.js";
import { t } from "./i18n.js";
import { Lists } from "./lists.js";
import { copyNumber, Idle, PopCard } from "./pop.js";
import { loadLists } from "./live.js";
import { MissedCallers } from "./missed.js";
import { board, calls, me, mine, pop, streamUp } from "./model.js";
import { AgentDuty } from "./requests.js";
import { LateStubs } from "./stub_facts.js";
import { AskLead, reasonName } from "./requests_agent.js";
import { seconds } from "./format.js";
import { Banners, html, Icon, Notice, Since, TopBar, waitLevel } from "./ui.js";
import { UnownedStubs } from "./unowned.js";

const refusal = signal(null);
const refused = signal(null); // the action that a rule refused and a lead may allow
const choosing = signal(null); // "seat" | "reason"
const sending = signal(false);

// What the rules can allow in each state; the service has the last word.
const POSSIBLE = {
  signed_out: ["sign-in"],
  ready: ["busy", "sign-out"],
  ringing: ["busy"],
  talking: ["busy"],
  wrap_up: ["ready", "busy", "sign-out"],
  busy: ["ready", "busy", "sign-out"],
};

const stateName = () => mine.value?.state ?? "signed_out";

function dismiss() {
  refusal.value = refused.value = null;
}

function asked() {
  dismiss();
  choosing.value = null;
}

function possible(action) {
  if (sending.value || streamUp.value === false) return false;
  return POSSIBLE[stateName()].includes(action) || (action === "ready" && Boolean(mine.value?.outside));
}

async function command(action, body) {
  sending.value = true;
  const answer = await ask("POST", `/me/${action}`, body);
  sending.value = false;
  refusal.value = answer.ok ? null : answer.problem;
  refused.value = !answer.ok && answer.problem.override === "lead" ? action : null;
  if (!answer.ok) return;
  choosing.value = null;
  if (answer.value.state) me.value = { ...me.value, state: answer.value.state };
  loadLists();
}

function act(action) {
  if (!possible(action)) return;
  dismiss();
  if (action === "sign-in") choosing.value = choosing.value === "seat" ? null : "seat";
  else if (action === "busy") choosing.value = choosing.value === "reason" ? null : "reason";
  else command(action);
}

const KEYS = { Digit1: "sign-in", Digit2: "ready", Digit3: "busy", Digit4: "sign-out" };

function onKey(event) {
  if (event.key === "Escape") {
    if (choosing.value) choosing.value = null;
    else if (refusal.value) dismiss();
    else pop.value = null;
  } else if (event.altKey && !event.ctrlKey && !event.metaKey && KEYS[event.code]) {
    event.preventDefault();
    act(KEYS[event.code]);
  } else if (event.altKey && !event.ctrlKey && !event.metaKey && event.code === "KeyC") {
    event.preventDefault();
    copyNumber();
  }
}

const Action = ({ name, keys, kind = "" }) => html`<button class=${`action ${kind}`} data-test=${name}
  disabled=${!possible(name)} aria-keyshortcuts=${`Alt+${keys}`} onClick=${() => act(name)}>
  ${t(`action.${name}`)}<kbd>Alt ${keys}</kbd></button>`;

function SeatForm() {
  const input = useRef(null);
  useEffect(() => input.current.select(), []);
  function submit(event) {
    event.preventDefault();
    const seat = input.current.value.trim();
    localStorage.setItem("cti.seat", seat);
    command("sign-in", { seat });
  }
  return html`<form class="choose" onSubmit=${submit}><label>${t("seat.label")}
      <input ref=${input} name="seat" inputmode="numeric" maxlength="32" required autofocus data-test="seat"
        defaultValue=${localStorage.getItem("cti.seat") ?? ""} /></label>
    <button class="primary" data-test="confirm-seat" disabled=${sending.value}>${t("seat.confirm")}</button></form>`;
}

const Reasons = () => html`<div class="choose reasons" role="group" aria-label=${t("reason.label")}>
  ${Object.keys(me.value.busy_reasons).map((code) => html`<button data-test=${`reason-${code}`}
    onClick=${() => command("busy", { reason: code })}>${reasonName(code)}</button>`)}</div>`;

function StatePanel() {
  const line = mine.value;
  const name = stateName();
  return html`<section class=${`state state-${name}`} data-test="state" data-state=${name}>
    <span class="eyebrow">${t("state.mine")}</span>
    <h1>${t(`state.${name}`)}</h1>
    <div class="timer num" data-test="state-timer"><${Since} iso=${line?.since} /></div>
    <p>${line?.seat ? t("state.seat", { seat: line.seat }) : t("state.no_seat")}
      ${line?.reason && html` · ${reasonName(line.reason)}`}</p>
    ${line?.asked_back && html`<p class="asked-back" role="alert" data-test="asked-back">${t("figures.asked_back")}</p>`}
    ${line?.outside && html`<p class="outside"><${Icon} name="warn" />${t("state.outside")}</p>`}
  </section>`;
}

function Today() {
  const answered = calls.value.length;
  const queue = board.value?.queue;
  const waits = calls.value.map((row) => row.ring_ms).filter((value) => value !== null);
  const average = waits.length ? waits.reduce((a, b) => a + b, 0) / waits.length : null;
  return html`<section class="today">
    <div><small>${t("today.calls")}</small><b class="num">${mine.value?.calls_today ?? answered}</b></div>
    <div><small>${t("today.ring")}</small><b class="num">${seconds(average)}</b></div>
    <div><small>${t("queue.waiting")}</small><b class="num">${queue?.waiting ?? "–"}</b></div>
    <div class=${waitLevel(queue?.longest_since)}><small>${t("queue.longest")}</small>
      <b class="num">${queue?.longest_since ? html`<${Since} iso=${queue.longest_since} />` : "–"}</b></div></section>`;
}

export function AgentPage() {
  useLayoutEffect(() => { // the keys work as soon as they are shown
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return html`<div class="page agent"><${TopBar} /><${Banners} />
    <div class="columns">
      <aside>
        <${StatePanel} />
        <div class="actions">
          <${Action} name="sign-in" keys="1" kind="primary" /><${Action} name="ready" keys="2" kind="go" />
          <${Action} name="busy" keys="3" /><${Action} name="sign-out" keys="4" />
        </div>
        ${choosing.value === "seat" && possible("sign-in") && html`<${SeatForm} />`}
        ${choosing.value === "reason" && possible("busy") && html`<${Reasons} />`}
        <${Notice} problem=${refusal.value} onClose=${dismiss} />
        ${refused.value && html`<${AskLead} action=${refused.value} onAsked=${asked} />`}
        <${AgentDuty} onAct=${act} />
        <${Today} />
      </aside>
      <main><${LateStubs} />${pop.value ? html`<${PopCard} />` : html`<${Idle} />`}<${OwnHandover} /><${Lists} /><${UnownedStubs} /><${MissedCallers} /><${OwnFindings} /></main>
    </div></div>`;
}
