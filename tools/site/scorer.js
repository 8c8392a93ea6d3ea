// The order of search results: pages for frequent tasks come first, and pages about the project last.
var Scorer = {
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,

  score: ([page, _title, _anchor, _description, score]) => {
    if (/^(problems|tenants|before-you-drain)$/.test(page)) return score + 6;
    if (/^rules\/LM/.test(page)) return score + 3;
    if (/^(architecture|page|reliability|benchmarks|contributing|apiserver|changes|release)$/.test(page)) return score - 6;
    return score;
  },
};
