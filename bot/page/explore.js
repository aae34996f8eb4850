// Runs once, in the tab of facts: `element` is its root, `watch` follows its value, `trigger` asks the server for it.
// Searching, filtering and ordering happen here, without the server; the address carries the choice, so that a view
// can be shared.
const STEP = 30;
const NAMES = ["find", "topic", "country", "year", "source", "sort"];
const ORDERS = {
  "": (a, b) => a.place - b.place,
  oldest: (a, b) => (a.data.told || "9").localeCompare(b.data.told || "9") || a.place - b.place,
  subject: (a, b) => (a.data.subject || "\uffff").localeCompare(b.data.subject || "\uffff", "en") || a.place - b.place,
  source: (a, b) => a.data.source.localeCompare(b.data.source, "en") || a.place - b.place,
};
let facts = [];
let shown = STEP;

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
const field = (name) => element.querySelector(`.filters [name="${name}"]`);
const chosen = () => Object.fromEntries(NAMES.map((name) => [name, field(name)?.value ?? ""]));

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
  const found = facts.filter((fact) => fits(fact, want, words)).sort(ORDERS[want.sort] ?? ORDERS[""]);
  facts.forEach((fact) => { fact.node.hidden = true; });
  found.slice(0, shown).forEach((fact) => { fact.node.hidden = false; });
  element.querySelector(".facts").append(...found.map((fact) => fact.node));
  const filtered = found.length < facts.length;
  element.querySelector(".counted").textContent = filtered
    ? `${found.length} of ${facts.length} facts` : `${facts.length} ${facts.length === 1 ? "fact" : "facts"}`;
  element.querySelector(".none").hidden = found.length > 0;
  element.querySelector(".clear").hidden = !NAMES.some((name) => name !== "sort" && want[name]);
  const more = element.querySelector(".more");
  more.hidden = found.length <= shown;
  more.textContent = `Show ${Math.min(STEP, found.length - shown)} more`;
}

// The address: what is not chosen is left out of it; what belongs to other tabs stays.
function remember() {
  const url = new URL(location.href);
  url.searchParams.set("tab", "explore");
  for (const [name, value] of Object.entries(chosen())) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  history.replaceState(history.state, "", url);
}

function choose(wanted) {
  for (const name of NAMES) {
    const control = field(name);
    if (!control) continue;
    control.value = wanted(name) ?? "";
    if (control.selectedIndex === -1) control.value = "";  // an old link may name what is no longer there
  }
  shown = STEP;
  apply();
}

function begin() {
  facts = [...element.querySelectorAll(".fact")].map((node, place) => (
    { node, place, data: node.dataset, text: fold(`${node.textContent} ${node.dataset.subject} ${node.dataset.country}`) }
  ));
  if (matchMedia("(max-width: 700px)").matches) element.querySelector("details.charts")?.removeAttribute("open");
  const asked = new URLSearchParams(location.search);
  choose((name) => asked.get(name));
}

function changed() {
  shown = STEP;
  apply();
  remember();
}

element.addEventListener("input", (event) => { if (event.target.closest(".filters")) changed(); });
element.addEventListener("submit", (event) => event.preventDefault());
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.matches(".ask")) {
    document.dispatchEvent(new CustomEvent("gapbot-ask", { detail: { question: button.dataset.question } }));
  } else if (button.matches(".clear")) {
    choose((name) => (name === "sort" ? field("sort").value : ""));
    remember();
    field("find").focus();
  } else if (button.matches(".more")) {
    const first = [...element.querySelectorAll(".fact[hidden]")][0];
    shown += STEP;
    apply();
    first?.querySelector("button.ask").focus({ preventScroll: true });
  }
});
element.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.name === "find" && event.target.value) {
    event.preventDefault();
    event.target.value = "";
    changed();
  }
});
// "/" goes to the search while this tab is open; elsewhere it belongs to the chat.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  const find = field("find");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || !find?.offsetParent) return;
  event.preventDefault();
  event.stopPropagation();
  find.focus();
}, true);
// A topic chosen in the tab about the corpus, or a step back.
document.addEventListener("gapbot-explore", (event) => {
  choose((name) => (name === "topic" ? event.detail.topic : ""));
  remember();
});

// The facts are half a megabyte: they come when the tab is first opened, and the chat does not wait for them.
watch("value", begin);
new IntersectionObserver((seen, observer) => {
  if (!seen.some((entry) => entry.isIntersecting)) return;
  observer.disconnect();
  trigger("select", {});
}).observe(element);
