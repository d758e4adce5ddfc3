// Sorts and finds the pairs of a gallery; the list itself stands in the page.
const list = document.getElementById("pairs");
const pairs = [...list.children];
const count = document.getElementById("count");

function order(key) {
  const text = key === "name";
  const value = (pair) => (text ? pair.dataset.name : Number(pair.dataset[key] || Infinity));
  const compare = (a, b) => (text ? value(a).localeCompare(value(b), undefined, { numeric: true }) : value(a) - value(b));
  list.append(...pairs.sort(compare));
}

function find(text) {
  const wanted = text.trim().toLowerCase();
  pairs.forEach((pair) => { pair.hidden = !pair.textContent.toLowerCase().includes(wanted); });
  count.textContent = `${pairs.filter((pair) => !pair.hidden).length} of ${pairs.length} pairs`;
}

document.getElementById("order").addEventListener("change", (event) => order(event.target.value));
document.getElementById("find").addEventListener("input", (event) => find(event.target.value));
document.getElementById("bar").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("bar").hidden = false;
find("");
