// Which page is shown. One document: moving between pages keeps the stream.
import { signal } from "@preact/signals";
import { begin } from "./live.js";
import { me } from "./model.js";

export const page = signal(location.pathname);

export function go(path) {
  if (path !== location.pathname) history.pushState(null, "", path);
  page.value = path;
}
addEventListener("popstate", () => (page.value = location.pathname));

// Which pages a role has; the service refuses what it may not ask all the same.
export const OPEN = {
  agent: ["/agent", "/callbacks", "/board", "/roster"],
  lead: ["/board", "/desk", "/callbacks", "/agent", "/roster"],
  admin: ["/board", "/roster"],
  auditor: ["/desk", "/roster", "/board"],
};

// To the page asked for, if this person has it; to the login when there is no session.
export async function enter() {
  if (!(await begin())) return go("/login");
  const wanted = location.pathname;
  const open = OPEN[me.value.person.role];
  go(open.includes(wanted) ? wanted : open[0]);
}
