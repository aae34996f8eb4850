// Runs once, in the tab about the corpus, which comes from the server when it is first opened. A topic opens the tab
// of facts with that topic chosen.
new IntersectionObserver((seen, observer) => {
  if (!seen.some((entry) => entry.isIntersecting)) return;
  observer.disconnect();
  trigger("select", {});
}).observe(element);
element.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-topic]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  document.dispatchEvent(new CustomEvent("gapbot-tab", { detail: { tab: "explore" } }));
  document.dispatchEvent(new CustomEvent("gapbot-explore", { detail: { topic: link.dataset.topic } }));
});
