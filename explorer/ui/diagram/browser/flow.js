// One way from the input through a node to the output: the longest, which is the one through the layers.
function way(view, through) {
  const next = new Map(), before = new Map();
  for (const edge of view.edges) {
    const { source, target } = edge.dataset;
    if (!next.has(source)) next.set(source, []);
    if (!before.has(target)) before.set(target, []);
    next.get(source).push([target, edge]);
    before.get(target).push([source, edge]);
  }
  const longest = (start, links) => {
    const best = new Map();
    const visit = (first) => {
      const stack = [[first, false]];
      while (stack.length) {
        const [node, done] = stack.pop();
        if (best.has(node)) continue;
        const ways = links.get(node) ?? [];
        if (!done) {
          stack.push([node, true]);
          for (const [other] of ways) if (!best.has(other)) stack.push([other, false]);
          continue;
        }
        let chosen = { length: 0 };
        for (const [other, edge] of ways) {
          const length = 1 + (best.get(other)?.length ?? 0);
          if (length > chosen.length) chosen = { length, other, edge };
        }
        best.set(node, chosen);
      }
    };
    visit(start);
    const edges = [];
    for (let at = start; best.get(at)?.edge; at = best.get(at).other) edges.push(best.get(at).edge);
    return edges;
  };
  const start = through instanceof Element ? through.dataset.source : through;
  const end = through instanceof Element ? through.dataset.target : through;
  const middle = through instanceof Element ? [through] : [];
  return [...longest(start, before).reverse(), ...middle, ...longest(end, next)];
}
