// The text field with line numbers, marks and remarks. Text only ever becomes text nodes.
const area = document.getElementById("manifest");
const numbers = document.getElementById("numbers"), marks = document.getElementById("marks"), lens = document.getElementById("lens");
const ROW = 20, LARGE = 200_000, MOST_MARKS = 500, MOST_STEPS = 50;
const SIGNS = {deny: "✕", warn: "!", open: "?", note: "i"};
let lineCount = 1, shown = [], steps = [], onChange = () => {}, onMark = () => {};

export function start(changed, markChosen) {
  onChange = changed;
  onMark = markChosen;
  area.addEventListener("input", changedByUser);
  area.addEventListener("scroll", follow);
  area.addEventListener("keydown", (event) => {
    if (event.key === "F8") {
      event.preventDefault();
      goToNext(event.shiftKey ? -1 : 1);
    }
  });
  marks.addEventListener("click", (event) => {
    if (event.target.dataset.line) onMark(Number(event.target.dataset.line));
  });
  number();
}

export const text = () => area.value;

function follow() {
  const down = `translateY(${-area.scrollTop}px)`;
  numbers.style.transform = marks.style.transform = down;
  lens.style.transform = `translate(${-area.scrollLeft}px, ${-area.scrollTop}px)`;
}

function number() {
  const count = area.value.split("\n").length;
  if (count === lineCount && numbers.textContent !== "1") return 0;
  const more = count - lineCount;
  lineCount = count;
  numbers.textContent = Array.from({length: count}, (_, index) => index + 1).join("\n");
  follow();
  return more;
}

// Marks below the cursor move with their lines until the next answer.
function changedByUser() {
  const more = number();
  if (more) {
    const line = area.value.slice(0, area.selectionStart).split("\n").length - Math.max(more, 0);
    show(shown.map((mark) => (mark.line > line ? {...mark, line: mark.line + more} : mark)));
  } else {
    show(shown);
  }
  onChange();
}

// Each mark has a line, a state and words. The first mark of a line is the most important one.
export function show(found) {
  shown = found;
  const lines = area.value.split("\n"), seen = new Set();
  const signs = [], remarks = [];
  for (const mark of found) {
    if (!mark.line || mark.line > lines.length || seen.has(mark.line) || seen.size >= MOST_MARKS) continue;
    seen.add(mark.line);
    const top = `${(mark.line - 1) * ROW}px`;
    const sign = document.createElement("span");
    sign.className = mark.state;
    sign.dataset.line = mark.line;
    sign.title = mark.words;
    sign.textContent = SIGNS[mark.state];
    sign.style.top = top;
    signs.push(sign);
    const remark = document.createElement("div"), hidden = document.createElement("span"), words = document.createElement("em");
    remark.className = mark.state;
    remark.style.top = top;
    hidden.textContent = lines[mark.line - 1];
    words.textContent = `${SIGNS[mark.state]} ${mark.words}`;
    remark.append(hidden, words);
    remarks.push(remark);
  }
  marks.replaceChildren(...signs);
  lens.replaceChildren(...remarks);
  follow();
}

export function goTo(line) {
  const lines = area.value.split("\n");
  const begin = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  area.focus({preventScroll: true});
  area.setSelectionRange(begin, begin + (lines[line - 1] ?? "").length);
  area.scrollTop = Math.max(0, (line - 5) * ROW);
  area.scrollLeft = 0;
  area.scrollIntoView({block: "nearest"});
}

function goToNext(direction) {
  const lines = [...new Set(shown.map((mark) => mark.line).filter(Boolean))].sort((a, b) => a - b);
  if (!lines.length) return;
  const here = area.value.slice(0, area.selectionStart).split("\n").length;
  const next = direction > 0 ? lines.find((line) => line > here) : lines.findLast((line) => line < here);
  const line = next ?? (direction > 0 ? lines[0] : lines.at(-1));
  goTo(line);
  onMark(line);
}

// Columns of the API count code points, offsets of the browser count UTF-16 units.
function offsetOf(lines, line, column) {
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return before + [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
}

export function range(edit) {
  const lines = area.value.split("\n");
  return [offsetOf(lines, edit.line, edit.column), offsetOf(lines, edit.endLine, edit.endColumn)];
}

// The browser's own undo stays intact where it has this command.
function write(begin, end, words) {
  const focused = document.activeElement;
  area.focus({preventScroll: true});
  area.setSelectionRange(begin, end);
  const isSmall = area.value.length + words.length < LARGE;
  area.removeEventListener("input", changedByUser);
  if (!isSmall || !document.execCommand(words ? "insertText" : "delete", false, words)) {
    area.setRangeText(words, begin, end, "end");
  }
  area.addEventListener("input", changedByUser);
  if (focused && focused !== area) focused.focus({preventScroll: true});
  number();
  show([]);
}

// Changes a part of the text as one step that can be undone.
export function replace(begin, end, words) {
  const before = area.value;
  write(begin, end, words);
  steps.push({before, after: area.value});
  steps = steps.slice(-MOST_STEPS);
}

export const canUndo = () => steps.length > 0 && steps.at(-1).after === area.value;

export function undo() {
  if (!canUndo()) return;
  write(0, area.value.length, steps.pop().before);
}
