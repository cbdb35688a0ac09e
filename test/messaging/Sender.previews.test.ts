import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { settle } from '../support/FakeClock.ts';
import { EXIT_0, scriptError } from './FakeMac.ts';
import { ANNA, SETTLE_MS, type SenderRig, senderRig } from './senderRig.ts';

const URL = 'https://example.com/a';
const TEXT = `See ${URL}`;

/** A row that is drawn as a link, joined to the row before it. */
function drawn(previousGuid: string): Partial<ChatRow> {
  return {
    balloon: {
      kind: 'link',
      bundleId: 'com.apple.messages.URLBalloonProvider',
      app: undefined,
      caption: undefined,
      url: URL,
    },
    previousGuid,
  };
}

/** `draw`: what becomes of the bare link, GUID-101 being the text before it. */
function rigThat(draw: (rig: SenderRig) => ReturnType<typeof scriptError> | Promise<ReturnType<typeof scriptError>>) {
  const rig = senderRig();
  rig.mac.onRun = (call) => {
    if (call.text === URL) return draw(rig);
    rig.mac.write(call);
    return EXIT_0;
  };
  const [text, link] = [rig.command('c-1', ANNA, TEXT), rig.command('c-2', ANNA, URL)];
  return { rig, text, link };
}

const row = (rig: SenderRig, previousGuid: string) => rig.mac.write({ target: ANNA, text: URL }, drawn(previousGuid));

describe('a bare link behind a text with the same link', () => {
  it('is not proven by the preview below the text: what was refused goes out later', async () => {
    const { rig, text, link } = rigThat(async (rig) => {
      row(rig, 'GUID-101');
      rig.sender.chatDbChanged();
      await settle();
      return scriptError(-1743);
    });
    await rig.wake();
    await settle();
    expect([text, link].map((send) => rig.state(send))).toEqual(['confirmed', 'queued']);
    rig.mac.onRun = () => {
      row(rig, 'GUID-102');
      return EXIT_0;
    };
    await rig.clock.advance(SETTLE_MS);
    expect(rig.row(link)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-103' });
  });

  it('is proven by the second of two rows below the text, whichever of them is the preview', async () => {
    const { rig, link } = rigThat((rig) => {
      row(rig, 'GUID-101');
      return EXIT_0;
    });
    await rig.wake();
    await rig.clock.advance(900);
    expect(rig.state(link)).toBe('accepted');
    row(rig, 'GUID-101');
    await rig.changed();
    expect(rig.row(link)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-103' });
  });

  it('is proven by its row where the preview came before it was begun', async () => {
    const { rig, link } = rigThat((rig) => {
      row(rig, 'GUID-101');
      return EXIT_0;
    });
    rig.mac.onRun = ((run) => (call) => {
      const said = run(call);
      if (call.text === TEXT) row(rig, 'GUID-101');
      return said;
    })(rig.mac.onRun);
    await rig.wake();
    expect(rig.row(link)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-103' });
  });

  it('is not sent twice where Messages draws no preview and its row looks like one', async () => {
    const { rig, link } = rigThat((rig) => {
      row(rig, 'GUID-101');
      return EXIT_0;
    });
    await rig.wake();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.row(link)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-102', attempts: 1 });
    expect(rig.texts()).toEqual([TEXT, URL]);
  });

  it('is proven at once where the text is too old for a preview, or another’s', async () => {
    for (const change of [{ dateAt: 0 }, { isFromMe: false }]) {
      const { rig, link } = rigThat((rig) => {
        rig.mac.amend(101, change);
        row(rig, 'GUID-101');
        return EXIT_0;
      });
      await rig.wake();
      expect(rig.state(link)).toBe('confirmed');
    }
  });
});
