// Findings: what was against an article, with its evidence, appeal and ruling; and the roster held against the day.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { filler, useDuty } from "./duty.js";
import { clockText, clockTime, DAY_MS, exactTime, dayTime, timeOf } from "./format.js";
import { t } from "./i18n.js";
import { me, nameOf, now } from "./model.js";
import { html, Icon, Notice, Since } from "./ui.js";

const ledger = signal([]);
const own = signal([]);
const adherence = signal([]);
const opened = signal(null); // the finding whose evidence is shown
const refusal = signal(null);

const [fillLedger, fillOwn, fillAdherence] = [ledger, own, adherence].map(filler);
const loadLedger = () => fillLedger("GET", `/findings?from=${encodeURIComponent(new Date(Date.now() - DAY_MS).toISOString())}`);
const loadOwn = () => fillOwn("GET", "/me/findings");
const loadAdherence = () => fillAdherence("GET", "/adherence");

async function send(path, body) {
  const answer = await ask("POST", path, body);
  refusal.value = answer.ok ? null : answer.problem;
  return answer.ok;
}

const kindName = (kind) => t(`finding.${kind}`);

const lasted = ({ began_at: began, ended_at: ended }) =>
  ended ? clockText(Date.parse(ended) - Date.parse(began)) : html`<${Since} iso=${began} />`;

// Figures of the evidence that have a name in the catalogue: counts as they are, durations in minutes and seconds.
const FIGURES = ["missed", "offers_today", "answered_today", "late_ms", "left_early_ms", "gap_ms", "seat"];
const figureText = (name, value) => (name.endsWith("_ms") ? clockText(value) : String(value));

const Event = ({ line }) => html`<tr><td class="num">${exactTime(line.at)}</td><td>${t(`event.${line.event}`)}
    ${line.end === "rejected" && html` · ${t("finding.rejected")}`}</td>
  <td class="num">${line.call_id ?? ""}</td>
  <td class="num right">${["ring_ms", "rang_ms", "waited_ms"].filter((name) => line[name] !== undefined)
    .map((name) => `${t(`figure.${name}`)} ${(line[name] / 1000).toFixed(3)} s`).join(" · ")}</td></tr>`;

function Evidence({ finding }) {
  const { evidence, steps } = finding;
  return html`<div class="evidence" data-test="evidence">
    <p class="article"><b>${finding.document} ${finding.article}</b> ${finding.wording}</p>
    <p class="figures">${FIGURES.filter((name) => evidence[name] !== undefined).map((name) => html`<span key=${name}>
      ${t(`figure.${name}`)} <b class="num">${figureText(name, evidence[name])}</b></span>`)}
      ${evidence.cut_by_gap && html`<span>${t("finding.cut")}</span>`}</p>
    <table class="list"><tbody>${evidence.events.map((line, n) => html`<${Event} line=${line} key=${n} />`)}</tbody></table>
    ${steps.map((step) => html`<p class="step" data-test="step" key=${step.at}><b>${t(`step.${step.what}`)}</b>
      <span class="num">${step.by} ${dayTime(step.at)}</span> ${step.reason}</p>`)}
  </div>`;
}

// One line for a reason, and the buttons that send it.
function ReasonForm({ label, test, buttons }) {
  const submit = (event) => {
    event.preventDefault();
    const chosen = buttons.find(({ code }) => code === event.submitter?.value) ?? buttons[0];
    chosen.send(new FormData(event.currentTarget).get("reason").trim());
  };
  return html`<form class="reason-form" onSubmit=${submit} data-test=${test}>
    <input name="reason" maxlength="200" required aria-label=${label} placeholder=${label} data-test=${`${test}-reason`} />
    ${buttons.map(({ code, name, kind }) => html`<button value=${code} class=${`small ${kind ?? ""}`} key=${code}
      data-test=${`${test}-${code}`}>${name}</button>`)}</form>`;
}

const AppealForm = ({ finding }) => html`<${ReasonForm} label=${t("finding.appeal_reason")} test="appeal" buttons=${[
  { code: "send", name: t("finding.appeal"), send: async (reason) =>
    (await send(`/me/findings/${encodeURIComponent(finding.finding_id)}/appeal`, { reason })) && loadOwn() },
]} />`;

function RulingForm({ finding }) {
  const rule = (upheld) => async (reason) =>
    (await send(`/findings/${encodeURIComponent(finding.finding_id)}/rule`, { upheld, reason })) && loadLedger();
  return html`<${ReasonForm} label=${t("finding.ruling_reason")} test="ruling" buttons=${[
    { code: "uphold", name: t("finding.uphold"), send: rule(true) },
    { code: "revoke", name: t("finding.revoke"), send: rule(false) },
  ]} />`;
}

const mayRule = ({ state, agent }) =>
  state === "appealed" && me.value.person.role === "lead" && agent !== me.value.person.number;

function Finding({ finding, mine }) {
  const { finding_id: id, kind, agent, state } = finding;
  const open = opened.value === id;
  const toggle = () => (opened.value = open ? null : id);
  return html`<li class=${`finding finding-${state}`} data-test="finding" data-kind=${kind} data-state=${state}>
    <button class="quiet line" aria-expanded=${open} onClick=${toggle} data-test="finding-open">
      <span class="kind">${kindName(kind)}</span>
      ${!mine && html`<span class="who">${nameOf(agent)} <small class="num">${agent}</small></span>`}
      <span class="verdict">${t(`finding.state.${state}`)}</span>
      <span class="times"><span class="num">${mine ? dayTime(finding.began_at) : timeOf(finding.began_at)}</span>
        <span class="num long" data-test="finding-timer">${lasted(finding)}</span>
        <small>${finding.document} ${finding.article}</small></span></button>
    ${open && html`<${Evidence} finding=${finding} />`}
    ${open && mine && state === "found" && html`<${AppealForm} finding=${finding} />`}
    ${!mine && mayRule(finding) && html`<p class="step"><b>${t("step.appealed")}</b> ${finding.steps.at(-1).reason}</p>
      <${RulingForm} finding=${finding} />`}
  </li>`;
}

export function Findings() {
  useDuty(loadLedger);
  const running = ledger.value.filter((finding) => finding.state === "running").length;
  return html`<section class="card findings" data-test="findings"><h2>${t("finding.title")}
      <span class=${`count num ${running ? "bad" : ""}`} data-test="findings-running">${running}</span></h2>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    ${!ledger.value.length && html`<p class="muted none">${t("finding.none")}</p>`}
    <ol>${ledger.value.map((finding) => html`<${Finding} finding=${finding} key=${finding.finding_id} />`)}</ol></section>`;
}

const minutes = (ms) => (ms === null ? "–" : clockText(ms));
const amiss = (ms) => (ms ? "right num amiss" : "right num");

function Late({ line }) {
  const runs = now.value < Date.parse(line.ends_at);
  if (line.signed_in_at || !runs) return html`<td class=${amiss(line.late_ms)}>${minutes(line.late_ms)}</td>`;
  return html`<td class="right num amiss"><${Since} iso=${line.starts_at} /></td>`;
}

const Shift = ({ line }) => html`<tr data-test="adherence-line" data-agent=${line.agent}>
  <td>${nameOf(line.agent)} <small class="num">${line.agent}</small></td>
  <td class="num">${clockTime(line.starts_at)}–${clockTime(line.ends_at)}</td>
  <td class="right num">${minutes(line.early_ms)}</td><${Late} line=${line} />
  <td class="right num">${minutes(line.to_ready_ms)}</td>
  <td class=${amiss(line.left_early_ms)}>${minutes(line.left_early_ms)}</td>
  <td class="right num">${line.answered} / ${line.offers}</td>
  <td class=${line.missed ? "right num amiss" : "right num"}>${line.missed}</td>
  <td>${line.gap && html`<span title=${t("adherence.gap")}><${Icon} name="warn" /></span>`}</td></tr>`;

export function Adherence() {
  useDuty(loadAdherence);
  if (!adherence.value.length) return null;
  return html`<section class="card adherence" data-test="adherence"><h2>${t("adherence.title")}</h2><div class="scroll">
    <table class="list"><thead><tr><th>${t("adherence.agent")}</th><th>${t("adherence.shift")}</th>
      <th class="right">${t("adherence.early")}</th><th class="right">${t("adherence.late")}</th>
      <th class="right">${t("adherence.ready")}</th><th class="right">${t("adherence.left")}</th>
      <th class="right">${t("adherence.answered")}</th><th class="right">${t("adherence.missed")}</th><th></th></tr></thead>
    <tbody>${adherence.value.map((line) => html`<${Shift} line=${line} key=${line.agent + line.shift_id} />`)}</tbody>
    </table></div></section>`;
}

export function OwnFindings() {
  useDuty(loadOwn);
  if (!own.value.length) return null;
  return html`<section class="card findings own" data-test="own-findings"><h2>${t("finding.own")}
      <span class="count num">${own.value.length}</span></h2>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    <ol>${own.value.map((finding) => html`<${Finding} finding=${finding} mine key=${finding.finding_id} />`)}</ol></section>`;
}
