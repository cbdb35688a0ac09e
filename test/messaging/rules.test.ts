import { describe, expect, it } from 'vitest';
import { addressForms, sameHandle } from '../../src/messaging/address.ts';
import { findReceipt } from '../../src/messaging/receipts.ts';
import { briefly, judge } from '../../src/messaging/scriptErrors.ts';
import { sendScript } from '../../src/messaging/sendScript.ts';
import { chat, EXIT_0, FakeMac, scriptError, TIMED_OUT } from './FakeMac.ts';
import { ANNA, senderRig } from './senderRig.ts';

describe('addressForms', () => {
  it('takes a handle that Messages has not met yet for a person on iMessage', () => {
    for (const handle of [ANNA, 'someone@example.com', '72345']) {
      expect(addressForms(handle, undefined)).toEqual([{ kind: 'participant', handle, service: 'iMessage' }]);
    }
  });

  it('addresses a person on the service of the chat, then the chat as stored', () => {
    const forms = (service: string, prefix: string) =>
      addressForms(ANNA, chat(ANNA, { service, guid: `${prefix};-;${ANNA}` }));
    expect(forms('SMS', 'any')).toEqual([
      { kind: 'participant', handle: ANNA, service: 'SMS' },
      { kind: 'chat', guid: `any;-;${ANNA}` },
    ]);
    expect(forms('rcs', 'RCS')[0]).toMatchObject({ service: 'RCS' });
    expect(forms('iMessageLite', 'iMessage')[0]).toMatchObject({ service: 'iMessage' });
  });

  it('addresses a person on the service of the newest row, whatever the chat is said to be', () => {
    const service = (newestService: string | undefined, stored: string) =>
      addressForms(ANNA, { ...chat(ANNA, { service: stored }), newestService })[0];
    expect(service('SMS', 'iMessage')).toMatchObject({ service: 'SMS' });
    expect(service('rcs', 'SMS')).toMatchObject({ service: 'RCS' });
    expect(service('iMessageLite', 'SMS')).toMatchObject({ service: 'iMessage' });
    expect(service('any', 'SMS')).toMatchObject({ service: 'SMS' });
    expect(service(undefined, 'any')).toMatchObject({ service: 'iMessage' });
  });

  it.each([
    ['any;+;chat831', 'iMessage', 'iMessage;+;chat831'],
    ['any;+;chat831', 'SMS', 'SMS;+;chat831'],
    ['iMessage;+;chat831', 'iMessage', 'any;+;chat831'],
    ['RCS;+;chat831', 'RCS', 'any;+;chat831'],
  ])('addresses the group %s of %s as stored, then as %s', (guid, service, other) => {
    const group = { ...chat('chat831', { isGroup: true, guid, service }), newestService: 'SMS' };
    expect(addressForms('chat831', group)).toEqual([
      { kind: 'chat', guid },
      { kind: 'chat', guid: other },
    ]);
  });

  it('tells groups from people by what chat.db says, not by how the identifier looks', () => {
    const group = chat(ANNA, { isGroup: true, guid: `iMessage;+;${ANNA}` });
    expect(addressForms(ANNA, group).map(({ kind }) => kind)).toEqual(['chat', 'chat']);
    const person = chat('chat831', { guid: 'iMessage;-;chat831' });
    expect(addressForms('chat831', person)[0]).toMatchObject({ kind: 'participant', handle: 'chat831' });
  });

  it('never alters a handle', () => {
    for (const handle of ['5550100001', '0015550100001', 'Someone@Example.com']) {
      expect(addressForms(handle, undefined)).toMatchObject([{ handle }]);
      expect(addressForms(handle, chat(handle))[0]).toMatchObject({ handle });
    }
  });

  it('knows no way to what is neither', () => {
    for (const threadId of ['chat831', 'Anna', '12', `${ANNA} x`, 'a\0b@example.com'])
      expect(addressForms(threadId, undefined)).toEqual([]);
  });
});

describe('sameHandle', () => {
  it.each([
    ['+15550100001', '15550100001', true],
    ['+15550100001', '5550100001', true],
    ['05550100001', '+15550100001', true],
    ['Someone@Example.com', 'someone@example.com', true],
    ['+15550100001', '+15550100002', false],
    ['00001', '+15550100001', false],
    ['chat831', 'chat8315550100001', false],
    ['5550100001', 'chat5550100001', false],
    ['', '', true],
    ['', '+15550100001', false],
  ])('of %s and %s says %s', (a, b, same) => {
    expect([sameHandle(a, b), sameHandle(b, a)]).toEqual([same, same]);
  });
});

describe('judge', () => {
  it('names no file that was not found, which osascript says without quotes', () => {
    const path = 'Macintosh HD:Users:agent:staging:0f3c:Findings of Anna: page 2.pdf';
    const stderr = `20:42: execution error: File file ${path} wasn’t found. (-43)\n`;
    expect(judge({ ...EXIT_0, exitCode: 1, stderr })).toEqual({
      kind: 'unknown',
      code: 'EDGE_SEND_SCRIPT',
      detail: '20:42: execution error: File … wasn’t found. (-43)',
    });
  });

  it.each([
    [EXIT_0, { kind: 'accepted' }],
    [TIMED_OUT, { kind: 'unknown', code: 'EDGE_SEND_TIMEOUT' }],
    [scriptError(-1728), { kind: 'next-form', code: 'EDGE_SEND_NO_SUCH_CHAT' }],
    [scriptError(-1743), { kind: 'paused', code: 'EDGE_SEND_NOT_PERMITTED' }],
    [scriptError(-600), { kind: 'paused', code: 'EDGE_SEND_MESSAGES_DOWN' }],
    [scriptError(-1719), { kind: 'next-form', code: 'EDGE_SEND_NO_ACCOUNT' }],
    [scriptError(-2753), { kind: 'next-form', code: 'EDGE_SEND_NO_ACCOUNT' }],
    [scriptError(-4711), { kind: 'unknown', code: 'EDGE_SEND_SCRIPT' }],
    [scriptError(-1712), { kind: 'unknown', code: 'EDGE_SEND_TIMEOUT' }],
    [scriptError(-1700), { kind: 'unknown', code: 'EDGE_SEND_SCRIPT' }],
    [
      { ...EXIT_0, exitCode: null },
      { kind: 'unknown', code: 'EDGE_SEND_SCRIPT' },
    ],
    [
      { ...EXIT_0, exitCode: 1, stderr: "osascript: can't open default scripting component.\n" },
      { kind: 'paused', code: 'EDGE_SEND_SPAWN' },
    ],
    [
      { ...EXIT_0, exitCode: 1, stderr: 'something else' },
      { kind: 'unknown', code: 'EDGE_SEND_SCRIPT' },
    ],
  ])('of %o says %o', (result, verdict) => {
    expect(judge(result)).toMatchObject(verdict);
  });

  it('says the number, what it means, what to do, and what osascript said', () => {
    expect(judge(scriptError(-1743))).toMatchObject({
      detail: expect.stringMatching(/^-1743: macOS does not let .*\. System Settings → .*\. osascript said: 35:80: /),
    });
  });

  it('leaves out warnings of the system that stand before the error', () => {
    const stderr = `/bin/bash: warning: setlocale: no\n${scriptError(-1743).stderr}`;
    expect(judge({ ...EXIT_0, exitCode: 1, stderr })).toEqual(judge(scriptError(-1743)));
  });

  it('says briefly what osascript said, unless the catalogue does not name the number', () => {
    const brief = (number: number) => {
      const verdict = judge(scriptError(number));
      return verdict.kind === 'accepted' ? '' : briefly(verdict.code, verdict.detail);
    };
    expect(brief(-1743)).toMatch(/^osascript said: .*\(-1743\)$/);
    expect(brief(-10810)).toMatch(/^-10810: macOS could not start Messages\. .* osascript said: /);
    expect(briefly('EDGE_SEND_UNCONFIRMED', 'no receipt')).toBe('no receipt');
  });

  it('keeps the handle that osascript quotes out of its detail', () => {
    expect(judge(scriptError(-1728))).toMatchObject({ detail: expect.not.stringContaining('0009') });
  });
});

describe('sendScript', () => {
  it('times out before we do, and never at once', () => {
    expect(sendScript(30)).toContain('with timeout of 28 seconds');
    expect(sendScript(1)).toContain('with timeout of 1 seconds');
  });
});

describe('findReceipt', () => {
  const look = (sent: string, written: string) => {
    const rig = senderRig();
    const send = { ...rig.queue(ANNA, sent), watermarkRowid: 100, watermarkEpoch: 1, sendingAt: rig.clock.now() };
    const mac = new FakeMac(() => rig.clock.now());
    const row = mac.write({ target: ANNA, text: written });
    const search = {
      epoch: 1,
      now: rig.clock.now(),
      claimed: () => false,
      previews: new Set<string>(),
      lastLook: false,
    };
    return findReceipt(send, [row], search) === row;
  };

  it.each([
    ['the same text', 'hello', 'hello', true],
    ['trimmed ends', 'hello \n', 'hello', true],
    ['other line ends', 'a\r\nb\u2028c', 'a\nb\nc', true],
    ['composed characters', 'e\u0301', '\u00e9', true],
    ['a removed NUL', 'a\0b', 'ab', true],
    ['half a surrogate pair', 'a\ud83d', 'a\ufffd', true],
    ['another case', 'hello', 'Hello', false],
    ['other white space inside', 'a  b', 'a b', false],
    ['an empty row', 'hello', '', false],
  ])('with %s', (_name, sent, written, same) => {
    expect(look(sent, written)).toBe(same);
  });
});
