// The live board: read from across a room, so few figures, large, and nothing that jumps.
import { EmergencyBar, Lift } from "./emergency.js";
import { Gaps } from "./handover_gaps.js";
import { percent, seconds, timeOf } from "./format.js";
import { t } from "./i18n.js";
import { MissedCount } from "./missed.js";
import { board } from "./model.js";
import { reasonName } from "./requests_agent.js";
import { Banners, Countdown, html, Icon, Since, TopBar, waitLevel } from "./ui.js";

// The connection rate over the last 24 h (GB/T 33358-2016) and its level are the service's; without calls it has none.
// Of too few calls to be judged by (connection.least_calls) a low rate is no alarm, but nothing to show as good either.
const LEVELS = { kept: "good", near: "near", missed: "bad" };
const rateLevel = ({ rate, level, least_percent: least }) =>
  rate === null || (level === "kept" && rate * 100 < least) ? "" : LEVELS[level];

const Tile = ({ name, level = "", unit, note, test, children }) => html`<div class=${`tile ${level}`} data-test=${test}>
  <small>${name}</small><b class="num">${children}${unit && html`<i>${unit}</i>`}</b><span class="note num">${note}</span></div>`;

function Tiles() {
  const { queue, today, limit_s: limit } = board.value;
  const { connection } = board.value.duty.figures;
  const level = waitLevel(queue.longest_since);
  return html`<section class="tiles">
    <${Tile} test="waiting" name=${t("queue.waiting")} level=${level}>${queue.waiting}<//>
    <${Tile} test="longest" name=${t("queue.longest")} level=${level}>
      ${queue.longest_since ? html`<${Since} iso=${queue.longest_since} />` : "–"}<//>
    <${Tile} test="ready" name=${t("state.ready")} level=${queue.signed_in && !queue.ready ? "near" : ""}
      note=${t("board.signed_in", { n: queue.signed_in })}>${queue.ready}<//>
    <${Tile} test="talking" name=${t("state.talking")} note=${t("board.ringing", { n: queue.ringing })}>${queue.talking}<//>
    <${Tile} test="answered" name=${t("figures.rolling")} unit="%" level=${rateLevel(connection)}
      note=${t("figures.rolling_note", { ...connection, lost: connection.decided - connection.connected })}>
      ${percent(connection.rate)}<//>
    <${Tile} test="within" name=${t("board.within", { s: limit })} unit="%"
      note=${t("board.average", { s: seconds(today.average_wait_ms) })}>${percent(today.within_rate)}<//>
  </section>`;
}

function Waiting() {
  const { waiting, limit_s: limit, duty } = board.value;
  const late = (entry) => (duty.escalated?.[entry.call_id] ? "escalated" : ""); // the lead's alone
  return html`<section class="card waiting"><h2>${t("board.waiting")}<span class="count num">${waiting.length}</span></h2>
    ${!waiting.length && html`<p class="muted none">${t("board.nobody")}</p>`}
    <ol>${waiting.map((entry) => html`<li key=${entry.call_id} class=${late(entry)} data-test="waiting-caller">
      <${Countdown} since=${entry.entered_at} limit=${limit} />
      <div class="grow"><b class="num">${entry.caller_masked || t("pop.withheld")}</b>
        <small>${entry.ringing.length ? t("board.rings_at", { agents: entry.ringing.join(t("punct.comma")) }) : t("board.no_ring")}</small></div>
      <span class="wait num"><${Since} iso=${entry.entered_at} /></span><${Lift} call=${entry} /></li>`)}</ol></section>`;
}

const AgentTile = ({ line }) => html`<div class=${`seat state-${line.state}`} data-test="agent-tile" data-state=${line.state}>
  <header><b>${line.name}</b><small class="num">${line.number}</small></header>
  <div class="mid"><strong>${line.reason ? reasonName(line.reason) : t(`state.${line.state}`)}</strong>
    <span class="num"><${Since} iso=${line.since} /></span></div>
  <footer class="num"><span>${t("state.seat", { seat: line.seat })}</span>
    ${line.outside ? html`<span class="outside" title=${t("state.outside")}><${Icon} name="warn" /></span>` : ""}
    <span>${t("board.calls", { n: line.calls_today })}</span></footer></div>`;

// What the lead must know: a recording short or missing, a pause set past the console, a file that cannot be read.
const alarmText = (alarm) =>
  alarm.kind === "recording.alarm"
    ? t("alarm.recording", { state: t(`recording.${alarm.state}`), call: alarm.subject })
    : t(`alarm.${alarm.code}`, { ...alarm, finding: t(`finding.${alarm.what}`), gap: alarm.what === "with_gap" ? t("figures.with_gap") : "" });

function Alarms() {
  const alarms = board.value.alarms ?? [];
  if (!alarms.length) return null;
  return html`<section class="card alarms" data-test="alarms"><h2>${t("alarm.title")}<span class="count num">${alarms.length}</span></h2>
    <ol>${alarms.map((alarm) => html`<li key=${alarm.at + alarm.subject}><${Icon} name="warn" />
      <span class="grow">${alarmText(alarm)}<small>${alarm.reason ?? ""}</small></span>
      <time class="num">${timeOf(alarm.at)}</time></li>`)}</ol></section>`;
}

const STATES = ["ready", "ringing", "talking", "wrap_up", "busy"];

function Agents() {
  const { agents, queue } = board.value;
  const present = agents.filter((line) => line.state !== "signed_out");
  const away = agents.filter((line) => line.state === "signed_out");
  return html`<section class="card agents"><h2>${t("board.agents")}
      <span class="legend">${STATES.map((state) => html`<span class=${`key state-${state}`}><i></i>${t(`state.${state}`)}
        <b class="num">${queue[state]}</b></span>`)}</span></h2>
    <div class="seats">${present.map((line) => html`<${AgentTile} line=${line} key=${line.number} />`)}</div>
    ${!present.length && html`<p class="muted none">${t("board.no_agents")}</p>`}
    ${away.length > 0 && html`<p class="away"><b>${t("state.signed_out")}</b>
      ${away.map((line) => html`<span key=${line.number}>${line.name} <small class="num">${line.number}</small></span>`)}</p>`}
  </section>`;
}

const toggleFull = () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());

export function BoardPage() {
  const stale = board.value && board.value.link !== "up";
  return html`<div class=${`page board ${stale ? "stale" : ""}`}>
    <${TopBar}><button class="quiet" title=${t("board.full")} onClick=${toggleFull}><${Icon} name="full" /></button><//>
    <${Banners} />
    ${board.value ? html`<div class="wall"><${EmergencyBar} /><${Gaps} /><${Tiles} /><div class="split"><div class="side"><${Waiting} /><${MissedCount} /><${Alarms} /></div><${Agents} /></div></div>` : null}
  </div>`;
}
