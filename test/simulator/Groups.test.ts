import { describe, expect, it } from 'vitest';
import { readRows } from './readRows.ts';
import { query, simulatedMac } from './simulatedMac.ts';

const [from, ben, cat] = ['+15550100001', '+15550100002', '+15550100003'];
const group = { id: 'chat831', participants: [from, ben] };
const MEMBERS = 'SELECT h.id FROM chat_handle_join JOIN handle h ON h.ROWID = handle_id ORDER BY h.ROWID';

describe('what happens to a group', () => {
  it.each([
    [
      { change: 'renamed', name: 'Trip' },
      { itemType: 2, actionType: 0, title: 'Trip' },
    ],
    [{ change: 'photo_changed' }, { itemType: 3, actionType: 1 }],
    [{ change: 'photo_removed' }, { itemType: 3, actionType: 2 }],
    [{ change: 'background_changed' }, { itemType: 3, actionType: 4 }],
    [{ change: 'background_removed' }, { itemType: 3, actionType: 6 }],
    [
      { change: 'member_added', member: cat },
      { itemType: 1, actionType: 0, otherHandle: cat },
    ],
    [
      { change: 'member_removed', member: ben },
      { itemType: 1, actionType: 1, otherHandle: ben },
    ],
    [{ change: 'member_left' }, { itemType: 3, actionType: 0 }],
    [{ change: 'number_changed' }, { itemType: 1, actionType: 0, otherHandle: from }],
    [{ change: 'shareplay' }, { itemType: 6 }],
  ] as const)('is a row without a body: %j', async (what, action) => {
    const mac = await simulatedMac();
    const guid = mac.groups.change({ from, group, ...what });
    const own = mac.groups.change({ from, group, fromMe: true, ...what });
    await mac.settled();
    expect(readRows(mac)).toMatchObject([
      {
        guid,
        text: '',
        bodyBytes: 0,
        isFromMe: false,
        handle: from,
        action,
        chat: { identifier: 'chat831', isGroup: true },
      },
      { guid: own, isFromMe: true, handle: undefined, action },
    ]);
  });

  it('changes the chat as well: its name and its members', async () => {
    const mac = await simulatedMac();
    mac.groups.create({ from, group });
    mac.groups.change({ from, group, change: 'renamed', name: 'Trip' });
    mac.groups.change({ from, group, change: 'member_added', member: cat });
    mac.groups.change({ from: ben, group, change: 'member_left' });
    expect(query(mac.chatDbPath, MEMBERS).map(({ id }) => id)).toEqual([from, cat]);
    mac.groups.change({ from, group, change: 'member_removed', member: cat });
    expect(query(mac.chatDbPath, MEMBERS).map(({ id }) => id)).toEqual([from]);
    expect(query(mac.chatDbPath, 'SELECT display_name AS name FROM chat')).toEqual([{ name: 'Trip' }]);
  });

  it('begins with its name, or with the first message', async () => {
    const mac = await simulatedMac();
    expect(mac.groups.create({ from, group })).toBeUndefined();
    expect(readRows(mac)).toEqual([]);
    const guid = mac.groups.create({ from, group: { ...group, id: 'chat832', name: 'Trip' } });
    expect(readRows(mac)).toMatchObject([{ guid, action: { itemType: 2, title: 'Trip' } }]);
  });
});

it('in a conversation of two location is shared and no longer, and a voice note is kept', async () => {
  const mac = await simulatedMac();
  mac.groups.change({ from, change: 'location_sharing_started' });
  mac.groups.change({ from, change: 'location_sharing_stopped', fromMe: true });
  mac.groups.change({ from, change: 'audio_kept' });
  await mac.settled();
  expect(readRows(mac)).toMatchObject([
    { isFromMe: false, action: { itemType: 4, shareStatus: 0 }, chat: { isGroup: false, identifier: from } },
    { isFromMe: true, action: { itemType: 4, shareStatus: 1 } },
    { action: { itemType: 5 } },
  ]);
});
