import { render } from "preact";
import { effect } from "@preact/signals";
import { AgentPage } from "./agent.js";
import { BoardPage } from "./board.js";
import { keptLanguage, speak, t } from "./i18n.js";
import { Login } from "./login.js";
import { me } from "./model.js";
import { enter, page } from "./route.js";
import { html } from "./ui.js";

function Page() {
  if (page.value === "/login") return html`<${Login} />`;
  if (me.value === null) return null;
  return page.value === "/board" ? html`<${BoardPage} />` : html`<${AgentPage} />`;
}

await speak(keptLanguage());
if (page.value !== "/login") await enter();
effect(() => {
  document.title = `${t(`title.${page.value.slice(1)}`)} · ${me.value?.hotline ?? "12319"}`;
});
render(html`<${Page} />`, document.getElementById("app"));
