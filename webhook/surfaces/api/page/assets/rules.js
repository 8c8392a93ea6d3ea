// Filters the list of rules. Without this script, the list is complete.
const field = document.getElementById("filter"), count = document.getElementById("count");

function show() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const family of document.querySelectorAll(".family")) {
    let inFamily = 0;
    for (const row of family.querySelectorAll("tbody tr")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      inFamily += !row.hidden;
    }
    family.hidden = !inFamily;
    shown += inFamily;
  }
  count.textContent = `${shown} ${shown === 1 ? "rule" : "rules"}`;
}

field.addEventListener("input", show);
show();
