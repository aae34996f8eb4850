// The part of the page with the facts. Searching, filtering and ordering happen here, without the server; the address
// carries the choice, so that a view can be shared.
import { t } from "./texts.js";

const STEP = 30;
const NAMES = ["find", "topic", "country", "year", "source", "sort"];
const ORDERS = {
  "": (a, b) => a.place - b.place,
  oldest: (a, b) => (a.data.told || "9").localeCompare(b.data.told || "9") || a.place - b.place,
  subject: (a, b) => (a.data.subject || "\uffff").localeCompare(b.data.subject || "\uffff", "en") || a.place - b.place,
  source: (a, b) => a.data.source.localeCompare(b.data.source, "en") || a.place - b.place,
};
const root = () => document.querySelector("#explore");
const field = (name) => root().querySelector(`.filters [name="${name}"]`);
const chosen = () => Object.fromEntries(NAMES.map((name) => [name, field(name)?.value ?? ""]));
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
let facts = [];
let shown = STEP;
let ordered = "";

function fits(fact, want, words) {
  const d = fact.data;
  return (!want.topic || d.topic === want.topic) && (!want.source || d.source === want.source) &&
    (!want.country || d.country.split("|").includes(want.country)) &&
    (!want.year || (d.from && d.from <= want.year && want.year <= d.to)) &&
    words.every((word) => fact.text.includes(word));
}

function apply() {
  if (!facts.length) return;
  const want = chosen();
  const words = fold(want.find).split(/\s+/).filter(Boolean);
  order(want.sort);
  let found = 0;
  for (const fact of facts) {
    const hidden = !fits(fact, want, words) || ++found > shown;
    if (fact.node.hidden !== hidden) fact.node.hidden = hidden;
  }
  count(found);
  root().querySelector(".none").hidden = found > 0;
  root().querySelector(".clear").hidden = !NAMES.some((name) => name !== "sort" && want[name]);
}

// Moving hundreds of elements takes a while: only when another order is chosen.
function order(by) {
  if (by === ordered) return;
  ordered = by;
  facts.sort(ORDERS[by] ?? ORDERS[""]);
  root().querySelector(".facts").append(...facts.map((fact) => fact.node));
}

function count(found) {
  const whole = facts.length === 1 ? t("fact") : t("facts");
  root().querySelector(".counted").textContent = found < facts.length
    ? `${found} ${t("of")} ${facts.length} ${whole}` : `${facts.length} ${whole}`;
  const more = root().querySelector(".more");
  more.hidden = found <= shown;
  more.textContent = `${t("Show more")} (${Math.min(STEP, found - shown)})`;
}

// What is not chosen is left out of the address.
function remember() {
  const address = new URL(location);
  address.searchParams.set("tab", "explore");
  for (const [name, value] of Object.entries(chosen())) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  history.replaceState(history.state, "", address);
}

function choose(wanted) {
  for (const name of NAMES) {
    const control = field(name);
    if (!control) continue;
    control.value = wanted(name) ?? "";
    if (control.selectedIndex === -1) control.value = ""; // an old link may name what is no longer there
  }
  shown = STEP;
  apply();
}

function fromAddress() {
  const asked = new URLSearchParams(location.search);
  choose((name) => asked.get(name));
}

function changed() {
  shown = STEP;
  apply();
  remember();
}

document.addEventListener("gapbot:place", (event) => {
  if (event.detail !== "explore") return;
  facts = [...root().querySelectorAll(".fact")].map((node, place) => (
    { node, place, data: node.dataset, text: fold(`${node.textContent} ${node.dataset.subject} ${node.dataset.country}`) }
  ));
  // On a phone the charts would push the facts out of sight.
  if (matchMedia("(max-width: 700px)").matches) root().querySelector("details.charts")?.removeAttribute("open");
  fromAddress();
  // A link with a choice is about the facts that it leaves.
  if (Object.values(chosen()).some(Boolean)) root().querySelector(".filters")?.scrollIntoView({ block: "start" });
});
addEventListener("popstate", () => { if (facts.length && document.body.dataset.tab === "explore") fromAddress(); });
// Coming back from another part, the choice stands as it was left: the address says so again.
new MutationObserver(() => {
  if (!facts.length || document.body.dataset.tab !== "explore") return;
  const asked = new URLSearchParams(location.search);
  if (!NAMES.some((name) => asked.has(name))) remember();
}).observe(document.body, { attributeFilter: ["data-tab"] });

document.addEventListener("input", (event) => { if (event.target.closest?.("#explore .filters")) changed(); });
document.addEventListener("submit", (event) => { if (event.target.matches("#explore .filters")) event.preventDefault(); });
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("#explore button");
  const topic = event.target.closest?.("#about a[data-topic]");
  if (topic && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openTopic(topic.dataset.topic);
  } else if (button?.matches(".ask")) {
    say("gapbot:tab", "chat");
    say("gapbot:ask", { question: button.dataset.question });
  } else if (button?.matches(".clear")) {
    choose((name) => (name === "sort" ? field("sort").value : ""));
    remember();
    field("find").focus();
  } else if (button?.matches(".more")) {
    const before = shown;
    shown += STEP;
    apply();
    const first = root().querySelectorAll(".fact:not([hidden])")[before];
    first?.querySelector("button.ask").focus({ preventScroll: true });
  }
});

function openTopic(topic) {
  if (facts.length) choose((name) => (name === "topic" ? topic : ""));
  say("gapbot:tab", "explore");
  const address = new URL(location);
  address.search = `?${new URLSearchParams({ tab: "explore", topic })}`;
  history.replaceState(history.state, "", address); // what is still to come reads it there
  document.querySelector("#places").scrollTop = 0;
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !event.target.matches?.('#explore [name="find"]') || !event.target.value) return;
  event.preventDefault();
  event.target.value = "";
  changed();
});
// "/" goes to the search while the facts are shown; elsewhere it belongs to the chat.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!document.querySelector('#explore [name="find"]')?.offsetParent) return;
  event.preventDefault();
  event.stopPropagation();
  field("find").focus();
}, true);
