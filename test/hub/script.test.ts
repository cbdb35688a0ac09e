import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Hub } from '../../src/hub/Hub.ts';
import { loadScript } from '../../src/hub/responders/loadScript.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT, message, startHub } from './testHub.ts';

function scriptFile(text: string): string {
  const path = join(tempDir(), 'script.yaml');
  writeFileSync(path, text);
  return path;
}
const problemsOf = (text: string): string[] => {
  try {
    loadScript(text, 's.yaml');
    return [];
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
};

const SCRIPT = `
rules:
  - match: stop
    bubbles: []
  - match: /^order (\\d+)/i
    reflex: okie lemme see
    bubbles: ["you said {{text}}", "bye {{sender}}"]
    burst_delay_ms: 700
  - match: /group/
    group: true
    bubbles: [to the group]
  - match: /./
    from: "+15550100009"
    bubbles: [hello nine]
  - match: later
    bubbles: [ok]
    schedule: [{ in_ms: 60000, text: "reminder: {{text}}" }]
  - match: act
    bubbles: [doing]
    commands: [{ command_type: send_message_now, payload: { thread_id: "{{thread_id}}", text: hi } }]
  - match: slow
    bubbles: [done]
    delay_ms: 30000
default:
  bubbles: ["pardon?"]
`;

describe('the script responder', () => {
  const say = async (text: string, fields: Record<string, unknown> = {}) => {
    const hub = await startHub({ responder: { script: scriptFile(SCRIPT) } });
    return (await hub.post('/edge/message', message(text, fields))).json;
  };

  it('answers by the first rule that matches, else by the default', async () => {
    expect(await say(' stop ')).toEqual({ should_respond: false, reply_bubbles: [] });
    expect(await say('stop it')).toMatchObject({ reply_bubbles: ['pardon?'] });
    expect(await say('group', { is_group: true })).toMatchObject({ reply_bubbles: ['to the group'] });
    expect(await say('group')).toMatchObject({ reply_bubbles: ['pardon?'] });
    expect(await say('group', { sender: '+15550100009' })).toMatchObject({ reply_bubbles: ['hello nine'] });
  });

  it('puts the text and the sender in, literally', async () => {
    expect(await say("ORDER 1 $& {{sender}} $'")).toMatchObject({
      reply_bubbles: ['okie lemme see', "you said ORDER 1 $& {{sender}} $'", 'bye +15550100002'],
      reflex_message: 'okie lemme see',
      burst_delay_ms: 700,
    });
  });

  it('schedules a message once, however often the key comes', async () => {
    const hub = await startHub({ responder: { script: scriptFile(SCRIPT) }, clock: new FakeClock() });
    const socket = await hub.connect();
    const body = message('later');
    await hub.post('/edge/message', body);
    await hub.post('/edge/message', body);
    await waitFor('the command', () => socket.commands.length);
    await socket.roundTrip();
    expect(socket.commands).toMatchObject([
      { command_type: 'schedule_message', payload: { message_text: 'reminder: later', thread_id: '+15550100002' } },
    ]);
    const sendAt = Date.parse(String(socket.commands[0]!.payload.send_at));
    expect(sendAt - Date.parse(socket.commands[0]!.timestamp)).toBe(60_000);
  });

  it('lets commands travel in the answer and follows their acks', async () => {
    const hub = await startHub({ responder: { script: scriptFile(SCRIPT) } });
    const { commands } = (await hub.post('/edge/message', message('act'))).json;
    expect(commands).toMatchObject([{ payload: { thread_id: '+15550100002', text: 'hi' }, priority: 'normal' }]);
    expect((await hub.post('/edge/sync', {})).json.commands).toEqual([]);
    await hub.post('/edge/command/ack', { command_id: commands[0]!.command_id, success: true });
    expect(await hub.hub.store.commandCounts(AGENT)).toEqual({ completed: 1 });
  });

  it('thinks for delay_ms', async () => {
    const clock = new FakeClock();
    const hub = await startHub({ responder: { script: scriptFile(SCRIPT) }, clock });
    let answered = false;
    const answer = hub.post('/edge/message', message('slow')).finally(() => {
      answered = true;
    });
    await waitFor('the message', async () => (await hub.hub.store.messages(AGENT)).length);
    await clock.advance(29_000);
    expect(answered).toBe(false);
    await clock.advance(2_000);
    expect((await answer).json.reply_bubbles).toEqual(['done']);
  });

  it('looks at the first 2,000 characters of a text only', async () => {
    const hub = await startHub({ responder: { script: scriptFile('rules: [{ match: /needle/, bubbles: [found] }]') } });
    const ask = async (text: string) => (await hub.post('/edge/message', message(text))).json.should_respond;
    expect(await ask(`${'x'.repeat(1_900)}needle`)).toBe(true);
    expect(await ask(`${'x'.repeat(2_000)}needle`)).toBe(false);
  });
});

describe('a script file', () => {
  it('may be empty', () => {
    expect(loadScript('', 's.yaml')).toEqual({ rules: [] });
  });

  it.each([
    ['an unknown key', 'rules:\n  - match: a\n    bubbels: [b]\n', ['s.yaml:3:5: rules.0.bubbels: unknown key']],
    [
      'a bad regex',
      'rules:\n  - match: a\n  - match: /(/\n',
      [expect.stringMatching(/^s\.yaml:3:5: rules\.1\.match: Invalid regular/)],
    ],
    [
      'a flag without use',
      'rules:\n  - match: /a/g\n',
      [expect.stringMatching(/^s\.yaml:2:5: rules\.0\.match: the flags/)],
    ],
    ['no match', 'rules:\n  - bubbles: [a]\n', [expect.stringMatching(/^s\.yaml:2:5: rules\.0\.match: /)]],
    ['a delay in words', 'default:\n  delay_ms: soon\n', [expect.stringMatching(/^s\.yaml:2:3: default\.delay_ms: /)]],
    [
      'a bubble that is a number',
      'default:\n  bubbles:\n    - ok\n    - 5\n',
      [expect.stringMatching(/^s\.yaml:4:7: default\.bubbles\.1: /)],
    ],
    [
      'a key given twice',
      'default:\n  reflex: a\n  reflex: b\n',
      [expect.stringMatching(/^s\.yaml:3:3: Map keys must be unique/)],
    ],
    ['a tab', 'default:\n\treflex: a\n', [expect.stringMatching(/^s\.yaml:2:/)]],
    ['a list on top', '- a\n', [expect.stringMatching(/^s\.yaml:1:1: script: /)]],
    [
      'too long a pattern',
      `rules:\n  - match: ${'x'.repeat(501)}\n`,
      [expect.stringMatching(/^s\.yaml:2:5: rules\.0\.match: /)],
    ],
    [
      'the text a hundred times',
      `default: { reflex: "${'{{text}}'.repeat(100)}" }\n`,
      [expect.stringMatching(/^s\.yaml:1:1: default: repeats/)],
    ],
  ])('with %s is refused by line and column', (_what, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it('names all its problems at once, and starts nothing', () => {
    const path = scriptFile('rules:\n  - bubbles: 5\n    x: 1\ndefualt: {}\n');
    const dbPath = join(tempDir(), 'hub.db');
    expect(() => Hub.create({ dbPath, secrets: ['s'], responder: { script: path } })).toThrow(
      /:2:5: rules\.0\.match.*:2:5: rules\.0\.bubbles.*:3:5: rules\.0\.x: unknown key.*:4:1: defualt: unknown key/s,
    );
  });
});
