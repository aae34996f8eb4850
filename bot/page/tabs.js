// The parts of the page: chat, explore, about. The address says which is shown; the last two are fetched when first opened.
import { t } from "./texts.js";
const PLACES = ["explore", "about"];
const fetched = new Set();

export function show(tab, remember = true) {
  const name = PLACES.includes(tab) ? tab : "chat";
  document.body.dataset.tab = name;
  mark();
  if (remember) {
    const address = new URL(location);
    if (name === "chat") address.search = "";
    else if (address.searchParams.get("tab") !== name) address.search = `?tab=${name}`;
    history.pushState(null, "", address);
  }
  if (name !== "chat") fill(name);
}

function mark() {
  document.querySelectorAll(".places a").forEach((link) => {
    if (link.dataset.tab === document.body.dataset.tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
}
// The links may be drawn, or drawn anew, after their place was opened.
new MutationObserver(mark).observe(document.body, { childList: true, subtree: true });

async function fill(name) {
  if (fetched.has(name)) return;
  const place = document.getElementById(name);
  if (!place) return;
  fetched.add(name);
  const reply = await fetch(`/page/${name}`).catch(() => null);
  if (!reply?.ok) {
    fetched.delete(name);
    place.textContent = t("This part cannot be shown now. Reload the page to try again.");
    return;
  }
  place.innerHTML = await reply.text(); // escaped by the server's templates; the policy of the page runs no script in it
  document.dispatchEvent(new CustomEvent("gapbot:place", { detail: name }));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".places a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(link.dataset.tab);
});
document.addEventListener("gapbot:tab", (event) => show(event.detail));
// Gradio draws the page part by part: the places may stand later than the chat says that it is ready.
const standing = (id) => new Promise((done) => {
  const look = () => (document.getElementById(id) ? done() : requestAnimationFrame(look));
  look();
});
const follow = async () => {
  await standing("about"); // the last of what is drawn
  show(new URLSearchParams(location.search).get("tab"), false);
};
addEventListener("popstate", follow);
follow();
