import { render } from "preact";
import { effect } from "@preact/signals";
import { AgentPage } from "./agent.js";
import { BoardPage } from "./board.js";
import { CallbackPage } from "./callback_page.js";
import { DeskPage } from "./desk.js";
import { keptLanguage, speak, t } from "./i18n.js";
import { Login } from "./login.js";
import { me } from "./model.js";
import { RosterPage } from "./roster.js";
import { enter, page } from "./route.js";
import { html } from "./ui.js";

const PAGES = { "/agent": AgentPage, "/board": BoardPage, "/callbacks": CallbackPage, "/desk": DeskPage, "/roster": RosterPage };

function Page() {
  if (page.value === "/login") return html`<${Login} />`;
  if (me.value === null) return null;
  return html`<${PAGES[page.value] ?? AgentPage} />`;
}

await speak(keptLanguage());
if (page.value !== "/login") await enter();
effect(() => {
  document.title = `${t(`title.${page.value.slice(1)}`)} · ${me.value?.hotline ?? "12319"}`;
});
render(html`<${Page} />`, document.getElementById("app"));
