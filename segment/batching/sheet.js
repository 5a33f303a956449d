"use strict";
const cards = Array.from(document.querySelectorAll("article"), (element) => ({
  element,
  name: element.dataset.name,
  folded: element.dataset.name.toLowerCase(),
  status: element.dataset.status,
  regions: Number(element.dataset.regions),
  seconds: Number(element.dataset.seconds),
}));
const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const orders = {
  status: (a, b) => (b.status === "failed") - (a.status === "failed") || byName(a, b),
  name: byName,
  regions: (a, b) => b.regions - a.regions || byName(a, b),
  seconds: (a, b) => b.seconds - a.seconds || byName(a, b),
};
const [find, show, sort, count, main] = ["find", "show", "sort", "count", "cards"].map((id) =>
  document.getElementById(id),
);
function filter() {
  const part = find.value.toLowerCase();
  let shown = 0;
  for (const card of cards) {
    const hit = card.folded.includes(part) && (!show.value || card.status === show.value);
    card.element.hidden = !hit;
    shown += hit;
  }
  count.textContent = shown === cards.length ? `${shown} pictures` : `${shown} of ${cards.length}`;
}
sort.addEventListener("change", () => {
  cards.sort(orders[sort.value]);
  main.append(...cards.map((card) => card.element));
});
find.addEventListener("input", filter);
show.addEventListener("change", filter);
filter();
