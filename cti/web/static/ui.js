// The pieces that the pages share.
import { h } from "preact";
import htm from "htm";
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { askNotify, notifyState, soundOn, toggleSound } from "./alert.js";
import { clockText, dayTime, timeOf } from "./format.js";
import { language, problemText, speak, t } from "./i18n.js";
import { loggedOut } from "./live.js";
import { board, me, newBuild, now, streamLostAt, streamUp } from "./model.js";
import { go, OPEN, page } from "./route.js";

export const html = htm.bind(h);

const PATHS = {
  bell: "M6 10a6 6 0 0 1 12 0v4l2 3H4l2-3zM10 20a2 2 0 0 0 4 0",
  sound: "M4 9v6h4l5 4V5L8 9zM16 9a4 4 0 0 1 0 6M18.5 6.500a8 8 0 0 1 0 11",
  mute: "M4 9v6h4l5 4V5L8 9zM16 9.500l5 5M21 9.500l-5 5",
  moon: "M20 14.500A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.500z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.500M17.5 17.500L19 19M19 5l-1.5 1.500M6.5 17.500L5 19",
  out: "M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  warn: "M12 4l9 16H3zM12 10v5M12 17.500v.5",
  close: "M6 6l12 12M18 6L6 18",
  phone: "M5 4h4l2 5-2.5 1.500a11 11 0 0 0 5 5L15 13l5 2v4a1 1 0 0 1-1 1A15 15 0 0 1 4 5a1 1 0 0 1 1-1z",
};

export const Icon = ({ name }) =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;

export const Since = ({ iso }) => (iso ? clockText(now.value - Date.parse(iso)) : "--:--");

const theme = signal(document.documentElement.dataset.theme ?? null);
const dark = () => (theme.value ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

function switchTheme() {
  theme.value = dark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem("cti.theme", theme.value);
}

export const Switches = () => html`
  <button class="quiet" data-test="language" onClick=${() => speak(language.value === "zh" ? "en" : "zh")}
    title=${t("switch.language")}>${language.value === "zh" ? "EN" : "中"}</button>
  <button class="quiet" data-test="theme" onClick=${switchTheme} title=${t("switch.theme")}>
    <${Icon} name=${dark() ? "sun" : "moon"} /></button>`;

const NotifySwitch = () => html`
  <button class=${`quiet ${notifyState.value === "granted" ? "on" : ""}`} title=${t(`notify.${notifyState.value}`)}
    disabled=${notifyState.value !== "default"} onClick=${askNotify}><${Icon} name="bell" /></button>
  <button class=${`quiet ${soundOn.value ? "on" : ""}`} title=${t(soundOn.value ? "sound.on" : "sound.off")}
    aria-pressed=${soundOn.value} onClick=${toggleSound}><${Icon} name=${soundOn.value ? "sound" : "mute"} /></button>`;

async function logOut() {
  await ask("DELETE", "/session");
  loggedOut();
}

const Tab = ({ path, label }) => html`
  <a href=${path} class=${page.value === path ? "tab here" : "tab"} aria-current=${page.value === path ? "page" : null}
    onClick=${(event) => (event.preventDefault(), go(path))}>${label}</a>`;

export function TopBar({ children }) {
  const { person, name_zh, name_en, demo } = me.value;
  return html`<header class="bar">
    <div class="brand"><img src="/static/icon.svg" alt="" width="30" height="30" />
      <strong>${language.value === "en" ? name_en : name_zh}</strong>
      ${demo && html`<span class="tag demo">${t("demo")}</span>`}</div>
    <nav>${OPEN[person.role].map((path) => html`<${Tab} path=${path} label=${t(`page.${path.slice(1)}`)} />`)}</nav>
    <div class="spacer"></div>
    <${LinkPill} />
    <span class="clock num" data-test="clock">${timeOf(new Date(now.value).toISOString())}</span>
    ${children}
    ${page.value === "/agent" && html`<${NotifySwitch} />`}
    <${Switches} />
    <span class="person"><b>${person.name}</b><small class="num">${person.number} · ${t(`role.${person.role}`)}</small></span>
    <button class="quiet" data-test="logout" title=${t("logout.hint")} onClick=${logOut}><${Icon} name="out" /></button>
  </header>`;
}

const LinkPill = () => {
  const link = streamUp.value === false ? "lost" : (board.value?.link ?? "connecting");
  return html`<span class=${`pill link-${link}`} data-test="link"><i></i>${t(`link.${link}`)}</span>`;
};

// Why the figures on the page may be old, said across its whole width.
export function Banners() {
  const lost = streamUp.value === false;
  const stale = board.value && board.value.link !== "up";
  return html`
    ${lost && html`<div class="banner bad" role="alert" data-test="stream-lost"><${Icon} name="warn" />
      ${t("banner.stream", { for: clockText(now.value - streamLostAt.value) })}</div>`}
    ${!lost && stale && html`<div class="banner bad" role="alert" data-test="stale"><${Icon} name="warn" />
      ${t(`banner.${board.value.link}`)}${" "}
      ${board.value.stale_since && t("banner.since", {
        at: timeOf(board.value.stale_since),
        for: clockText(now.value - Date.parse(board.value.stale_since)),
      })}</div>`}
    ${newBuild.value && html`<div class="banner" role="status">${t("banner.build")}
      <button class="small" onClick=${() => location.reload()}>${t("banner.reload")}</button></div>`}`;
}

// A refusal or fault, with the articles it rests on.
export function Notice({ problem, onClose }) {
  if (!problem) return null;
  const { articles = [], allowed_at: allowedAt, override } = problem;
  return html`<div class="notice" role="alert" data-test="notice">
    <button class="quiet close" title=${t("close")} onClick=${onClose}><${Icon} name="close" /></button>
    <strong>${problemText(problem)}</strong>
    ${articles.map((a) => html`<p class="article"><b>${a.document} ${a.article}</b> ${a.wording}</p>`)}
    ${allowedAt && html`<p>${t("notice.allowed_at", { at: dayTime(allowedAt) })}</p>`}
    ${override && html`<p>${t("notice.override", { role: t(`role.${override}`) })}</p>`}
    ${problem.fault_id && html`<p class="num">${problem.fault_id}</p>`}
  </div>`;
}

// How long the longest wait is against the limit: "", near (two thirds) or bad.
export function waitLevel(since) {
  const limit = board.value?.limit_s ?? 15;
  const past = since ? (now.value - Date.parse(since)) / 1000 : 0;
  return past >= limit ? "bad" : past >= (limit * 2) / 3 ? "near" : "";
}

// The 15 s of a caller or an offer: full circle at the start, red and counting up when they are over.
export function Countdown({ since, limit, size = "" }) {
  const past = Math.max(0, (now.value - Date.parse(since)) / 1000);
  const left = Math.max(0, 1 - past / limit);
  const level = past >= limit ? "over" : past >= (limit * 2) / 3 ? "near" : "calm";
  const text = past >= limit ? `+${Math.floor(past - limit)}` : Math.ceil(limit - past);
  return html`<svg class=${`ring ${level} ${size}`} viewBox="0 0 64 64" role="img" data-test="countdown" data-level=${level}
      aria-label=${t("countdown", { n: text })}>
    <circle class="track" cx="32" cy="32" r="27" />
    <circle class="left" cx="32" cy="32" r="27" pathLength="100" stroke-dasharray="100"
      stroke-dashoffset=${level === "over" ? 0 : (100 - left * 100).toFixed(1)} />
    <text x="32" y="33">${text}</text>
  </svg>`;
}
