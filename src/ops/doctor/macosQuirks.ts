/** Major versions whose chat.db and Messages are known; 16 to 25 were never given out. */
export const OLDEST_KNOWN = 12;
export const NEWEST_KNOWN = 26;

/** What is peculiar to some versions of macOS and edge-agent deals with, for who wonders. docs/DOCTOR.md has the table. */
export const QUIRKS: readonly { readonly from: number; readonly to: number; readonly text: string }[] = [
  { from: 12, to: 12, text: 'edits come as another text, and unsent messages are not told' },
  { from: 12, to: 14, text: 'a tapback of any emoji is read from its words, in English only' },
  { from: 13, to: 26, text: 'most texts are in attributedBody alone' },
  {
    from: 26,
    to: 26,
    text: 'chats are renamed any;-;…, and a send that made only an empty row is tried in another form',
  },
];
