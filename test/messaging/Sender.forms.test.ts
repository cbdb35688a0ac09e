import { describe, expect, it } from 'vitest';
import type { ChatInfo } from '../../src/chatdb/types.ts';
import { settle } from '../support/FakeClock.ts';
import { chat, EXIT_0, type ScriptCall, scriptError } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, SenderRig, senderRig } from './senderRig.ts';

const GROUP = 'chat8315550100';

/** A rig that knows Anna, Ben and a group; `refusals` are the numbers of the first sends by form, `chat SMS` and so on. */
function rigThat(refuses: (call: ScriptCall) => number | undefined, change: Partial<ChatInfo> = {}): SenderRig {
  const rig = senderRig();
  for (const person of [ANNA, BEN]) rig.mac.chats.set(person, chat(person, { guid: `any;-;${person}`, ...change }));
  rig.mac.chats.set(GROUP, chat(GROUP, { isGroup: true, guid: `any;+;${GROUP}` }));
  rig.mac.onRun = (call) => {
    const number = refuses(call);
    if (number !== undefined) return scriptError(number);
    rig.mac.write(call);
    return EXIT_0;
  };
  return rig;
}

const forms = (rig: SenderRig) => rig.mac.calls.map(({ form, target }) => [form, target]);

describe('Sender, by form of address', () => {
  it('takes the next form at once after -1728, before any other bubble, and counts one attempt', async () => {
    const rig = rigThat(({ form, target }) => (form === 'participant' && target === ANNA ? -1728 : undefined));
    const sends = [rig.queue(ANNA, 'a'), rig.queue(BEN, 'b')];
    await rig.wake();
    expect(forms(rig)).toEqual([
      ['participant', ANNA],
      ['chat', `any;-;${ANNA}`],
      ['participant', BEN],
    ]);
    expect(sends.map((send) => rig.row(send))).toMatchObject([
      { state: 'confirmed', attempts: 1, addressForm: 1 },
      { state: 'confirmed', attempts: 1 },
    ]);
  });

  it('takes the next form only when Messages is not held to hang meanwhile', async () => {
    const rig = rigThat(({ form }) => {
      rig.sender.hold();
      return form === 'participant' ? -1728 : undefined;
    });
    const send = rig.queue(ANNA, 'a');
    await rig.wake();
    expect(forms(rig)).toEqual([['participant', ANNA]]);
    rig.sender.release();
    await settle();
    expect(forms(rig)).toEqual([
      ['participant', ANNA],
      ['chat', `any;-;${ANNA}`],
    ]);
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', attempts: 1 });
  });

  it('sends to a group by the other prefix when Messages does not know the stored one', async () => {
    const rig = rigThat(({ target }) => (target.startsWith('any;') ? -1728 : undefined));
    const send = rig.queue(GROUP, 'hello all');
    await rig.wake();
    expect(forms(rig)).toEqual([
      ['chat', `any;+;${GROUP}`],
      ['chat', `iMessage;+;${GROUP}`],
    ]);
    expect(rig.state(send)).toBe('confirmed');
  });

  it('fails by name when no form is known, and says the number, what it means and what to do', async () => {
    const rig = rigThat(() => -1728);
    const send = rig.command('c1', GROUP, 'hello all');
    const next = rig.queue(GROUP, 'and more');
    await rig.wake();
    expect([rig.state(send), rig.state(next)]).toEqual(['failed', 'failed']);
    expect(rig.acks()).toMatchObject([
      { error: expect.stringMatching(/^EDGE_SEND_NO_SUCH_CHAT: -1728: Messages knows no such .* Check the thread_id/) },
    ]);
    expect(JSON.stringify(rig.calls)).not.toContain('+15550100009'); // as osascript quotes it
  });

  it('starts from the first form for each bubble', async () => {
    const rig = rigThat(({ form }) => (form === 'participant' ? -1728 : undefined));
    rig.queue(ANNA, 'a');
    rig.queue(ANNA, 'b');
    await rig.wake();
    expect(forms(rig).map(([form]) => form)).toEqual(['participant', 'chat', 'participant', 'chat']);
  });

  it('goes on with the next form after a crash between two forms', async () => {
    const rig = rigThat(({ form }) => (form === 'participant' ? -1728 : undefined));
    const send = rig.queue(ANNA, 'a');
    rig.store.sends.requeue(send.sendId, { addressForm: 1, code: 'EDGE_SEND_NO_SUCH_CHAT' });
    rig.crash();
    await rig.wake();
    expect(forms(rig)).toEqual([['chat', `any;-;${ANNA}`]]);
    expect(rig.state(send)).toBe('confirmed');
  });
});

describe('Sender, without an account', () => {
  it.each([-1719, -2753])('stops for want of iMessage (%i), loses nothing, and goes on in order', async (number) => {
    let isSignedIn = false;
    const rig = rigThat(({ form }) => (isSignedIn ? undefined : form === 'participant' ? number : -1728));
    const sends = [rig.queue(ANNA, 'a1'), rig.queue(ANNA, 'a2'), rig.queue(BEN, 'b')];
    await rig.wake();
    expect(forms(rig).map(([form]) => form)).toEqual(['participant', 'chat']);
    expect(sends.map((send) => rig.state(send))).toEqual(['queued', 'queued', 'queued']);
    expect(rig.told('conditionRaised')).toMatchObject([
      ['EDGE_SEND_NO_ACCOUNT', expect.stringMatching(new RegExp(`^osascript said: .*\\(${number}\\)$`))],
    ]);
    await rig.clock.advance(59_000);
    expect(rig.mac.calls).toHaveLength(2);
    await rig.clock.advance(1000);
    expect(forms(rig).map(([form]) => form)).toEqual(['participant', 'chat', 'participant', 'chat']);
    expect(rig.told('conditionCleared')).toEqual([]);
    isSignedIn = true;
    await rig.clock.advance(60_000);
    expect(sends.map((send) => rig.row(send))).toMatchObject(Array(3).fill({ state: 'confirmed', attempts: 1 }));
    expect(
      rig
        .texts()
        .filter((text) => text.startsWith('a'))
        .slice(-2),
    ).toEqual(['a1', 'a2']);
    expect(rig.told('conditionCleared')).toEqual([['EDGE_SEND_NO_ACCOUNT']]);
    expect(rig.told('conditionRaised')).toHaveLength(1);
  });

  it('fails only the bubble that wanted SMS, after its chat was tried', async () => {
    const rig = rigThat(({ form }) => (form === 'participant' ? -1719 : -1728), { service: 'SMS' });
    const send = rig.queue(ANNA, 'a');
    await rig.wake();
    expect(forms(rig).map(([form]) => form)).toEqual(['participant', 'chat']);
    expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_NO_ACCOUNT' });
    expect(rig.row(send).errorDetail).toMatch(/^-1719: /);
    expect(rig.told('conditionRaised')).toEqual([]);
  });

  it('sends by the chat where the account is missing only by its name', async () => {
    const rig = rigThat(({ form }) => (form === 'participant' ? -2753 : undefined), { service: 'RCS' });
    const send = rig.queue(ANNA, 'a');
    await rig.wake();
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.told('conditionRaised')).toEqual([]);
  });
});

describe('Sender, with Messages not running', () => {
  it('starts Messages, sends nothing meanwhile, and then sends once', async () => {
    let isRunning = false;
    const rig = rigThat(() => (isRunning ? undefined : -600));
    const { promise, resolve: opened } = Promise.withResolvers<void>();
    rig.launch = () => promise;
    const sends = [rig.queue(ANNA, 'a'), rig.queue(BEN, 'b')];
    await rig.wake();
    expect(rig.state(sends[0]!)).toBe('queued');
    expect(rig.told('conditionRaised')).toMatchObject([['EDGE_SEND_MESSAGES_DOWN', expect.anything()]]);
    await rig.clock.advance(5000);
    expect(rig.texts()).toEqual(['a']);
    isRunning = true;
    opened();
    await rig.clock.advance(0);
    expect(sends.map((send) => rig.row(send))).toMatchObject(Array(2).fill({ state: 'confirmed', attempts: 1 }));
    expect(rig.texts().sort()).toEqual(['a', 'a', 'b']);
    expect(rig.told('conditionCleared')).toEqual([['EDGE_SEND_MESSAGES_DOWN']]);
  });

  it('starts it once a minute at most, whatever becomes of that', async () => {
    const rig = rigThat(() => -600);
    let launches = 0;
    rig.launch = async () => {
      launches++;
      throw new Error('no');
    };
    const send = rig.queue(ANNA, 'a');
    await rig.wake();
    await rig.clock.advance(59_000);
    expect(launches).toBe(1);
    await rig.clock.advance(60_000);
    expect(launches).toBe(2);
    expect(rig.row(send)).toMatchObject({ state: 'queued', attempts: 0 });
    expect(rig.told('failure')).toContainEqual(['EDGE_INTERNAL', 'starting Messages: no']);
  });

  it('waits in stop for what starts it', async () => {
    const rig = rigThat(() => -600);
    const { promise, resolve: opened } = Promise.withResolvers<void>();
    rig.launch = () => promise;
    rig.queue(ANNA, 'a');
    await rig.wake();
    let isStopped = false;
    const stopped = rig.sender.stop().then(() => {
      isStopped = true;
    });
    await rig.clock.advance(0);
    expect(isStopped).toBe(false);
    opened();
    await stopped;
    expect(rig.texts()).toEqual(['a']);
  });
});

describe('Sender, by SMS after iMessage refused', () => {
  /** A Mac on which iMessage refuses with `error`, and SMS does what the test says. */
  function refusing(error: number, o: { smsFallback?: boolean; smsError?: number; smsScript?: number } = {}) {
    const rig = new SenderRig({ smsFallback: o.smsFallback ?? true });
    rig.mac.onRun = (call) => {
      if (call.service === 'SMS' && o.smsScript !== undefined) return scriptError(o.smsScript);
      const refused = call.service === 'SMS' ? (o.smsError ?? 0) : error;
      rig.mac.write(call, { service: call.service || 'iMessage', error: refused, isSent: refused === 0 });
      return EXIT_0;
    };
    rig.sender.start();
    return rig;
  }

  it('sends once by SMS, before the next bubble of the thread, and tells the end alone', async () => {
    const rig = refusing(22);
    const send = rig.command('c1', ANNA, 'hello');
    rig.mac.onRun = ((refuse) => (call: ScriptCall) => {
      if (call.text === 'next') rig.mac.write(call);
      return call.text === 'next' ? EXIT_0 : refuse(call);
    })(rig.mac.onRun);
    const next = rig.queue(ANNA, 'next');
    await rig.wake();
    expect(rig.mac.calls.map(({ service, text }) => [service, text])).toEqual([
      ['iMessage', 'hello'],
      ['SMS', 'hello'],
      ['iMessage', 'next'],
    ]);
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', smsFallback: 1, receiptGuid: 'GUID-102' });
    expect(rig.store.spentRows.has('GUID-101')).toBe(true);
    expect(rig.acks()).toMatchObject([{ status: 'completed', result: { message_guid: 'GUID-102' } }]);
    expect(rig.events()).toEqual([`sent:${send.key}`, `sent:${next.key}`]);
    expect(rig.told('sendRetried')).toMatchObject([
      [{ how: 'by SMS', detail: expect.stringMatching(/^message.error 22: Nobody is reached .*\.$/) }],
    ]);
  });

  it('fails as before where sms_fallback is off', async () => {
    const rig = refusing(22, { smsFallback: false });
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_REFUSED', smsFallback: 0 });
    expect(rig.mac.calls).toHaveLength(1);
  });

  it.each([
    ['another error', ANNA, 25, {}],
    ['an e-mail address', 'someone@example.com', 22, {}],
    ['a group', GROUP, 22, { isGroup: true, guid: `any;+;${GROUP}` }],
  ])('does not go by SMS for %s', async (_why, threadId, error, change) => {
    const rig = refusing(error);
    rig.mac.chats.set(threadId, chat(threadId, change));
    const send = rig.queue(threadId, 'hello');
    await rig.wake();
    expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_REFUSED' });
    expect(rig.mac.calls).toHaveLength(1);
  });

  it.each([
    [
      'refuses',
      { smsError: 22 },
      'EDGE_SEND_REFUSED',
      /^by SMS, after message\.error 22 as iMessage: message\.error 22: /,
    ],
    ['has no account', { smsScript: -1719 }, 'EDGE_SEND_NO_ACCOUNT', /^by SMS, after .*: -1719: /],
  ])('ends when SMS %s', async (_what, sms, code, detail) => {
    const rig = refusing(22, sms);
    const send = rig.command('c1', ANNA, 'hello');
    await rig.wake();
    expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: code });
    expect(rig.row(send).errorDetail).toMatch(detail);
    expect(rig.mac.calls).toHaveLength(2);
    expect(rig.acks()).toHaveLength(1);
    expect(rig.told('conditionRaised')).toEqual([]);
  });

  it('sends nothing by SMS while an iMessage before it may have gone out', async () => {
    const rig = refusing(22);
    const refuse = rig.mac.onRun;
    rig.mac.onRun = (call) => (rig.mac.calls.length === 1 ? EXIT_0 : refuse(call));
    const send = rig.command('c-1', ANNA, 'hello');
    await rig.wake();
    await rig.clock.advance(2 * SETTLE_MS);
    expect(rig.mac.calls.map(({ service }) => service)).toEqual(['iMessage', 'iMessage']);
    expect(rig.row(send)).toMatchObject({ state: 'unknown', smsFallback: 0 });
    expect(rig.acks()).toMatchObject([{ status: 'failed', error: expect.stringContaining('unknown outcome') }]);
  });

  it('makes no further attempt when the SMS leaves no receipt', async () => {
    const rig = refusing(22);
    const refuse = rig.mac.onRun;
    rig.mac.onRun = (call) => (call.service === 'SMS' ? EXIT_0 : refuse(call));
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    await rig.clock.advance(3 * SETTLE_MS);
    expect(rig.state(send)).toBe('unknown');
    expect(rig.mac.calls).toHaveLength(2);
  });

  it('sends by SMS once when it was killed anywhere in between', async () => {
    const rig = refusing(22);
    const refuse = rig.mac.onRun;
    rig.mac.onRun = (call) => {
      void refuse(call);
      return new Promise<never>(() => {}); // killed while osascript runs
    };
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.mac.onRun = refuse;
    rig.crash();
    await rig.clock.advance(SETTLE_MS);
    rig.crash();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.mac.calls.map(({ service }) => service)).toEqual(['iMessage', 'SMS']);
    expect(rig.state(send)).toBe('confirmed');
  });

  it('leaves an error that shows itself after the bubble was told as sent', async () => {
    const rig = refusing(0);
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    expect(rig.state(send)).toBe('confirmed');
    rig.mac.amend(101, { error: 22 });
    await rig.changed();
    await rig.clock.advance(1000);
    expect(rig.row(send)).toMatchObject({ state: 'failed', smsFallback: 0 });
    expect(rig.mac.calls).toHaveLength(1);
  });
});
