// Axes hold their ends as Plotly does: of a logarithmic one the logarithms to base 10.
const PREFIXES = { "-3": "n", "-2": "µ", "-1": "m", 0: "", 1: "k", 2: "M", 3: "G", 4: "T", 5: "P" };

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

class Axis {
  constructor({ title, better, log, range, prefixes }) {
    Object.assign(this, { title, better, log, home: range, range, prefixes });
  }

  at(value) {
    return this.log ? Math.log10(value) : value;
  }

  // Where a value stands between the ends, 0 to 1.
  share(value) {
    return (this.at(value) - this.range[0]) / (this.range[1] - this.range[0]);
  }

  // The part between two shares of what is shown becomes all of it.
  show(from, to) {
    const [low, high] = this.range;
    const [start, end] = [low + from * (high - low), low + to * (high - low)];
    const least = (this.home[1] - this.home[0]) / 1e4;
    if (end - start > least && end - start < 1e4 * least * 20) this.range = [start, end];
  }

  // Values with their words, at most about `room` of them.
  ticks(room) {
    const [low, high] = this.range;
    if (!this.log) return this.written(stepped(low, high, room));
    const decades = high - low;
    if (decades < 0.7) return this.written(stepped(10 ** low, 10 ** high, room));
    const digits = room / decades >= 3 ? [1, 2, 5] : [1];
    const every = digits.length > 1 ? 1 : Math.max(1, Math.ceil(decades / room));
    const found = [];
    for (let power = Math.floor(low); power <= high; power += 1) {
      if (power % every) continue;
      for (const digit of digits) found.push(digit * 10 ** power);
    }
    return this.written(found.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high));
  }

  written(values) {
    return values.map((value) => [value, this.words(value)]);
  }

  words(value) {
    const power = this.prefixes && value ? clamp(Math.floor(Math.log10(Math.abs(value)) / 3 + 1e-9), -3, 5) : 0;
    const shown = Number((value / 1000 ** power).toPrecision(4));
    return `${String(shown).replace("-", "−")}${power ? ` ${PREFIXES[power]}` : ""}`;
  }
}

// Multiples of 1, 2 or 5 times a power of ten.
function stepped(low, high, room) {
  const rough = (high - low) / Math.max(1, room);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((digit) => digit * power >= rough) ?? 10);
  const found = [];
  for (let count = Math.ceil(low / step); count * step <= high; count += 1) found.push(count * step);
  return found;
}
