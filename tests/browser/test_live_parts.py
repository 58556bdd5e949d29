"""The parts that a live page stands on, each by itself in a browser: what comes late, twice, out of order, in pieces or without end."""

from __future__ import annotations

from tests.browser.desk import Desk

JOBS = """async () => {
  const { JobStore } = await import('/static/core.js');
  const store = new JobStore({ most: 2, held: (record) => record === 'r1' });
  const job = (id, seq, more) => ({ id, record_id: `r${id}`, seq, state: 'processing', attempt: 1, progress: null, ...more });
  const told = (percent, second, more) => ({ job_id: 1, attempt: 1, percent, at: `2026-01-01T00:00:0${second}Z`, ...more });
  const percent = (change) => change && (change.job.progress?.percent ?? 'none');
  const heard = [
    store.apply(job(1, 2)).previous, store.apply(job(1, 1)), store.apply(job(1, 2)),
    percent(store.progress(told(10, 2))), store.progress(told(9, 1)), store.progress(told(50, 3, { attempt: 2 })),
    store.progress(told(50, 3, { job_id: 9 })), percent(store.apply(job(1, 3))), percent(store.apply(job(1, 3, { progress: told(30, 4) }))),
    percent(store.apply(job(1, 4, { attempt: 2, progress: told(40, 5) }))), percent(store.apply(job(1, 5, { state: 'completed' }))),
    store.progress(told(60, 6)),
  ];
  store.apply(job(0, 1, { record_id: 'r1' }));
  const newest = [store.forRecord('r1').id, store.get(1).seq];
  for (let id = 2; id <= 40; id += 1) store.apply(job(id, 1));
  const kept = [store.size <= 2 + 2 * 2, store.get(40).seq, store.get(1).seq, store.get(2), store.forRecord('r2'), store.forRecord('r40').id];
  store.clear();
  return [heard, newest, kept.map((each) => each ?? null), store.size];
}"""
CLOCKS = """async () => {
  const { Lags, ServerClock } = await import('/static/clock.js');
  const { Gap } = await import('/static/gap.js');
  const { backoff } = await import('/static/stream.js');
  const [gap, unknown, clock, lags] = [new Gap(0, Date.parse('2026-01-01T00:00:10Z')), new Gap(null, null), new ServerClock(), new Lags()];
  gap.count({ job: { seq: 5 }, previous: { seq: 2 } });
  for (const each of [gap, unknown]) for (const second of [9, 11]) {
    each.count({ job: { seq: 2, created_at: `2026-01-01T00:00:${String(second).padStart(2, '0')}Z` }, previous: null });
  }
  const said = [clock.known];
  clock.asked(1000, 900);
  said.push(clock.known);
  clock.heard(1005, 910);
  said.push(clock.known, clock.offset, clock.doubt, clock.at(1000));
  clock.heard(2000, 1000); // somebody set it
  said.push(clock.offset, clock.doubt);
  const none = lags.quantile(0.5);
  for (let ms = -99; ms <= 300; ms += 1) lags.add(ms - 1000 * (ms < 0));
  const waits = [[0, 0], [0, 1], [1, 0], [1, 1], [50, 0], [50, 1]].map(([failures, chance]) => backoff(failures, 2000, () => chance));
  return [[gap.missed, unknown.missed], said, [none, lags.count, lags.quantile(0.5), lags.quantile(0.95)], waits];
}"""
STREAM = r"""async () => {
  const { SseParser } = await import('/static/stream.js');
  const parser = new SseParser();
  const pieces = ['id: 7\nda', 'ta: a\r\ndata:b\r\n\r', '\n: now=1.5 as_of=2\n\nevent: state\ndata: x\n\nevent: lost\n', '\nretry: 500\nid: a\0b\ndata\n\ndata: half'];
  const events = pieces.map((piece) => parser.push(piece).map(({ type, data, id, beat }) => beat ?? [type, data, id]));
  return [events, parser.retry, parser.lastEventId];
}"""
CHOICE = """async () => {
  const { Selection } = await import('/static/elements/review/selection.js');
  const chosen = new Selection();
  const shown = [...'abcde'];
  const seen = [];
  const now = () => seen.push([chosen.ids.join(''), chosen.size]);
  const set = (...given) => { chosen.set(given[0], given[1], given[2] ?? shown, { range: given[3] ?? false }); now(); };
  set('b', true);
  set('d', true, shown, true);
  set('c', false);
  set('e', true, ['d', 'e'], true); // c, from where it would reach, is gone
  chosen.keep(['a', 'b', 'e']); now();
  chosen.setAll(shown, true); now();
  chosen.chooseEverything(99); now();
  seen.push(chosen.has('never seen'));
  set('a', false);
  seen.push(chosen.has('never seen'));
  chosen.setAll(shown, false); now();
  return seen;
}"""
# A server of numbered rows; `gate` makes its answers wait, with what they knew when they were asked for.
PAGES = """async () => {
  const { ReviewPages } = await import('/static/elements/review/pages.js');
  const [all, told] = [[], []];
  let [gate, even, held, trouble] = [null, false, -1, null];
  const add = (n) => { for (; n > 0; n -= 1) all.unshift({ id: all.length, received_at: new Date(1e12 + 1e3 * all.length).toISOString() }); };
  const get = async (_path, { cursor, limit, even }, { signal }) => {
    const match = all.filter(({ id }) => !even || id % 2 === 0);
    const from = cursor === null ? 0 : match.findIndex(({ id }) => id === cursor) + 1;
    const items = match.slice(from, from + limit);
    await gate;
    signal.throwIfAborted();
    if (trouble) throw trouble;
    return { items, next: from + limit < match.length ? items.at(-1).id : null };
  };
  const list = { api: { get }, query: () => ({ even }), held: (id) => id === held };
  for (const name of ['took', 'failed', 'stale', 'busy']) list[name] = (what) => told.push(name === 'busy' ? (what ? 'busy' : 'idle') : name);
  const pages = new ReviewPages(list);
  const slow = () => { let open; gate = new Promise((resolve) => { open = resolve; }); return () => { gate = null; open(); }; };
  const quiet = async () => { for (let n = 0; n < 10; n += 1) await new Promise((resume) => setTimeout(resume)); };
  // How many there are, whether they are the newest without a hole, and what was told of.
  const seen = () => {
    const ids = pages.rows.map(({ id }) => id);
    const match = all.map(({ id }) => id).filter((id) => !even || id % 2 === 0);
    return [ids.length, ids.every((id, at) => id === match[at]), told.splice(0).filter((word) => word !== 'idle').join(' ')];
  };
  const results = {};
  const step = async (name, ...kinds) => {
    const open = kinds.length > 1 ? slow() : () => {};
    for (const kind of kinds) pages.load(kind);
    open();
    await quiet();
    results[name] = seen();
  };
  add(300);
  await step('first', 'first');
  for (const name of ['2nd', '3rd', '4th', '5th']) await step(name, 'more');
  add(120);
  await step('all that is shown', 'refresh');
  held = pages.rows.at(-1).id;
  add(60);
  await step('down to what is held', 'refresh');
  add(5000);
  await step('a night away', 'refresh');
  results.bounded = pages.rows.length < 1000;
  held = -1;
  await step('and back', 'refresh');
  await step('a page waits its turn', 'refresh', 'more', 'more');
  await step('refreshes do not cut one another short', 'refresh', 'refresh', 'refresh');
  const open = slow();
  pages.load('refresh');
  even = true;
  for (const kind of ['first', 'refresh', 'more']) pages.load(kind);
  open();
  await quiet();
  results['another filter'] = seen();
  trouble = Object.assign(new Error('gone'), { passing: false });
  await step('refused', 'more');
  trouble.passing = true;
  await step('for now', 'more');
  trouble = null;
  await step('later', 'refresh');
  const older = pages.rows.at(-1).received_at;
  results.reach = [pages.reach(older), pages.reach(new Date(Date.parse(older) - 1000).toISOString())];
  pages.stop();
  return results;
}"""


async def test_each_part_by_itself(desk: Desk) -> None:
    await desk.open("/sign-in")
    ask = desk.page.evaluate
    heard = [None, None, None, 10, None, None, None, 10, 30, "none", "none", None]
    assert await ask(JOBS) == [heard, [1, 5], [True, 1, 5, None, None, 40], 0]
    assert await ask(CLOCKS) == [
        [5, 0],
        [False, False, True, 97.5, 2.5, 1097.5, 1000, 0],
        [None, 200, 200, 290],
        [200, 800, 2000, 4000, 7500, 15000],
    ]
    first, beat = ["message", "a\nb", "7"], {"now": 1500, "as_of": 2000}
    last = ["message", "", "7"]
    assert await ask(STREAM) == [[[], [], [first, beat, ["state", "x", "7"]], [last]], 500, "7"]
    some = [
        ["b", 1],
        ["bcd", 3],
        ["bd", 2],
        ["bde", 3],
        ["be", 2],
        ["abcde", 5],
        ["abcde", 99],
        True,
        ["bcde", 4],
        False,
        ["", 0],
    ]
    assert await ask(CHOICE) == some


async def test_the_rows_of_a_list_have_no_hole_and_no_end(desk: Desk) -> None:
    await desk.open("/sign-in")
    assert await desk.page.evaluate(PAGES) == {
        "first": [50, True, "busy took"],
        **{name: [50 * at, True, "busy took"] for at, name in enumerate(("2nd", "3rd", "4th", "5th"), start=2)},
        "all that is shown": [250, True, "took"],
        "down to what is held": [350, True, "took"],
        "a night away": [750, True, "took"],
        "bounded": True,
        "and back": [250, True, "took"],
        "a page waits its turn": [300, True, "busy busy took busy busy took"],
        "refreshes do not cut one another short": [300, True, "took stale"],
        "another filter": [50, True, "busy took stale"],
        "refused": [50, True, "busy failed"],
        "for now": [50, True, "busy busy failed"],
        "later": [100, True, "busy took busy busy took"],
        "reach": [True, False],
    }
