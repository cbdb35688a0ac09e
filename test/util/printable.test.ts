import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { described, shown } from '../../src/cli/seenRow.ts';
import { eventOfReaction } from '../../src/relay/rowEvents.ts';
import { printable, shellWord } from '../../src/util/printable.ts';
import { attachment, chatRow } from '../support/chatRow.ts';

/** Clears the screen, turns the direction, ends the line, and is a control character of 8 bits. */
const HOSTILE = '\u001b[2J\u202e\r\n\u009b31m\u2066x';
const STEERS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

describe('what strangers wrote', () => {
  const row: ChatRow = chatRow({
    rowid: 1,
    guid: HOSTILE,
    text: HOSTILE,
    handle: HOSTILE,
    decodeError: HOSTILE,
    chat: { guid: HOSTILE, identifier: HOSTILE, isGroup: true, service: HOSTILE, participants: [HOSTILE] },
    attachments: [attachment({ guid: HOSTILE, name: '', mimeType: HOSTILE })],
  });
  const said = { reaction: 'emoji', emoji: HOSTILE, isRemoved: false, targetGuid: HOSTILE, part: 0 } as const;
  const privacy = { redact: (text: string) => ({ text, redacted: [] }) };
  const event = eventOfReaction(row, said, privacy);

  it.each([
    ['a message', { row }],
    ['an event', { row, event }],
  ])('steers no terminal: %s', (_what, seen) => {
    expect(printable(described(seen))).not.toMatch(STEERS);
    const json = printable(JSON.stringify(shown(seen)));
    expect(json).not.toMatch(STEERS);
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(shown(seen))));
  });

  it.each(['A-1', '$(echo hi)', "a'b; echo hi", '`echo hi`', ''])('is one word of a command: %s', (word) => {
    expect(execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })).toBe(word);
  });
});
