"""Parts of the record's page by themselves: what they foretell and measure, and that nothing of them outlives the page."""

from __future__ import annotations

from tests.browser.desk import Desk
from tests.e2e.stacks import Stack

# What is asked while it is there, and fails when it is gone, is not asked again every few seconds for as long as the page lives.
GONE = """async () => {
  await import('/static/elements/form-stats-cards.js');
  const { ExchangeSection } = await import('/static/elements/detail/exchange.js');
  const [armed, setTimer, answers] = [[], window.setTimeout, []];
  window.setTimeout = (task, ms, ...more) => { armed.push(ms); return setTimer(task, ms, ...more); };
  window.fetch = () => new Promise((_, fail) => answers.push(() => fail(new TypeError('no network'))));
  const cards = document.createElement('form-stats-cards');
  cards.setAttribute('project', 'demo');
  document.body.append(cards);
  const exchange = new ExchangeSection({ api: { get: () => fetch().catch(() => { throw { passing: true, message: '' }; }) } });
  exchange.update({ attempts: [{ job_id: 'j', attempt: 1, outcome: null, steps: [] }] }, null);
  const ended = exchange.load();
  cards.remove();
  exchange.dispose();
  const asked = answers.length;
  armed.length = 0;
  for (const answer of answers) answer();
  await ended;
  await new Promise((done) => setTimer(done));
  return [asked, armed.filter((ms) => ms >= 1000)];
}"""
SUMS = """async () => {
  const { forecast } = await import('/static/elements/detail/run.js');
  const { flat, ringsOf, roundLength } = await import('/static/elements/detail/place.js');
  const step = (key, index, p50_s, p90_s, runs = 9) => [key, { key, index, runs, p50_s, p90_s }];
  const pace = new Map([step('a', 1, 10, 20), step('b', 2, 5, 6), step('c', 3, 5, 6, 2)]);
  const at = (key, spent) => Object.values(forecast(pace, { step: key }, new Map([[key, 1000]]), 1000 + spent * 1000));
  const from = { lat: 60, lon: 179.999 };
  return [
    at('a', 4), at('a', 15), at('a', 21), at('c', 1), Object.values(forecast(pace, null, new Map())),
    flat({ lat: 60, lon: -179.999 }, from).x.toFixed(0), flat({ lat: 60.001, lon: 179.999 }, from).y.toFixed(0),
    [0.7, 1, 4.9, 90, 250].map(roundLength),
    [null, { type: 'Point', coordinates: [1, 2] }, { type: 'Polygon', coordinates: [[[0, 0], ['x', 1]]] },
      { type: 'Polygon', coordinates: null }].map((each) => ringsOf(each).length),
    ringsOf({ type: 'MultiPolygon', coordinates: [[[[0, 0], [1, 0], [1, 1], [0, 0]]]] })[0][1],
  ];
}"""


async def test_what_is_left_of_a_run_and_how_far_things_are(stack: Stack, desk: Desk) -> None:
    await desk.open("/sign-in")
    assert await desk.page.evaluate(SUMS) == [
        [16, None],
        [10, None],
        [10, 20],
        [None, None],
        [None, None],
        "111",
        "-111",
        [0.5, 1, 2, 50, 200],
        [0, 0, 0, 0],
        {"lat": 0, "lon": 1},
    ]
    asked, armed = await desk.page.evaluate(GONE)
    assert asked >= 2 and armed == []
