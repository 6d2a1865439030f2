// Names in the shape Azure ML gives its jobs: `adjective_noun_` and ten characters that spell no word.

const adjectives =
  "able amber ample apt bold brave brisk calm civil clear cool coral crisp deft eager early fair fine firm fond frank free fresh gentle glad golden grand green happy honest humble jolly keen kind light lively loyal lucky mellow merry mild modest neat nimble noble patient plain polite prime proud quick quiet rapid ready sharp silent silver smart steady sunny sure swift tidy warm wise witty".split(
    " ",
  );
const nouns =
  "acorn anchor apple arch atlas bay beacon birch bloom boat brook cabin canyon cedar cliff cloud comet cove creek crow delta dune eagle ember fern field finch fjord forest garden glade grove harbor hawk heron hill island ivy lake lamp lark leaf lily lynx maple meadow moon moss oak ocean olive otter pebble pine pipe planet plum pond quill rain reef river robin root sail seed shore sky spark star stone stream tide trail valley violet wave willow wind wren".split(
    " ",
  );
const suffixCharacters = "bcdfghjklmnpqrstvwxyz0123456789";
const suffixLength = 10;

/** A new run's id, e.g. `sharp_pipe_4gvqx6h1fb`; `random` gives numbers in [0, 1). */
export function newRunId(random: () => number): string {
  return spell((choices) => Math.min(choices - 1, Math.floor(random() * choices)));
}

/**
 * The id of the run that `key` stands for within `scope`: the same two always give the same id, so that a repeated
 * request starts nothing new.
 */
export async function derivedRunId(scope: string, key: string): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([scope, key]));
  let rest = new Uint8Array(await crypto.subtle.digest("SHA-256", text)).reduce(
    (sum, byte) => (sum << 8n) | BigInt(byte),
    0n,
  );
  return spell((choices) => {
    const choice = Number(rest % BigInt(choices));
    rest /= BigInt(choices);
    return choice;
  });
}

function spell(choose: (choices: number) => number): string {
  const adjective = adjectives[choose(adjectives.length)];
  const noun = nouns[choose(nouns.length)];
  let suffix = "";
  while (suffix.length < suffixLength) suffix += suffixCharacters[choose(suffixCharacters.length)];
  return `${adjective}_${noun}_${suffix}`;
}
