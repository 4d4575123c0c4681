// What the pieces of the roster page share.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { turns } from "./duty.js";
import { me } from "./model.js";
import { addDays, week } from "./roster_days.js";

export const roster = signal({ agents: [], shifts: [] });
export const requests = signal([]);
export const panel = signal(null); // what is open above the grid: {kind, ...}
export const refusal = signal(null);
export const done = signal(null); // a key of the catalogue with its values

export const makes = () => ["lead", "admin"].includes(me.value.person.role);
export const nameOf = (number) => roster.value.agents.find((agent) => agent.number === number)?.name || number;

const turn = turns();
export async function load() {
  const newer = turn();
  const [days, wishes] = await Promise.all([
    ask("GET", `/roster?from=${week.value}&to=${addDays(week.value, 6)}`),
    ask("GET", "/roster/requests"),
  ]);
  if (!newer()) return;
  if (days.ok) roster.value = days.value;
  else refusal.value = days.problem;
  if (wishes.ok) requests.value = wishes.value;
}

export function open(what) {
  refusal.value = done.value = null;
  panel.value = what;
}

// Sends, shows what was refused, and closes the form when it was not.
export async function send(method, path, body, said) {
  const answer = await ask(method, path, body);
  refusal.value = answer.ok ? null : answer.problem;
  if (answer.ok) {
    panel.value = null;
    done.value = said ? { key: said, values: answer.value ?? {} } : null;
    await load();
  }
  return answer.ok;
}

// A form's fields as an object; empty ones are left out.
export function fields(event) {
  event.preventDefault();
  return Object.fromEntries([...new FormData(event.currentTarget)].filter(([, value]) => value !== ""));
}
