import { type Demo, PEOPLE } from './Demo.ts';

/** Each scene shows one thing and returns when the phone shows what it should. */
export const SCENES: readonly { title: string; play(demo: Demo): Promise<void> }[] = [
  {
    title: 'A text whose answer has a reflex and three bubbles',
    async play(demo) {
      demo.write('Ann', 'hey, what is the plan for tonight?', {
        answer: [
          'okie lemme see',
          'Dinner at seven, the place by the river.',
          'I told Sam and Kim already.',
          'Shall I book for four?',
        ],
      });
      await demo.seen();
    },
  },
  {
    title: 'A group, named Friday',
    async play(demo) {
      demo.write('Ben', 'who is in?', {
        group: true,
        answer: ['counting…', 'Three of us so far.', 'I will ask the others.'],
      });
      await demo.seen();
    },
  },
  {
    title: 'A body that exists only in attributedBody (the text column is NULL)',
    async play(demo) {
      const text = `what is the secret ingredient? ${'very '.repeat(60)}secret 🌶️`;
      demo.write('Cleo', text, { answer: ['Smoked paprika. You did not hear it from me.'] });
      await demo.seen();
    },
  },
  {
    title: 'A photo comes in, and a file with a caption goes out',
    async play(demo) {
      demo.write('Ann', 'who is this?', { photo: 'IMG_0042.HEIC', answer: ['A heron, I think. I made you a note.'] });
      await demo.seen();
      const caption = 'All I know of herons';
      demo.ledger.expect(PEOPLE.Ann, '[herons.txt]', caption);
      const data_base64 = Buffer.from('They stand, and wait.\n').toString('base64');
      const file = { name: 'herons.txt', mime_type: 'text/plain', data_base64, caption };
      await demo.rig.command('send_attachment', { thread_id: PEOPLE.Ann, ...file });
      await demo.seen();
    },
  },
  {
    title: 'Messages says ok, and chat.db says that nobody was reached: it goes by SMS',
    async play(demo) {
      const text = 'Are you on the train yet?';
      demo.ledger.expect(PEOPLE.Ben, text);
      demo.rig.mac.messages.behave({
        error: 22,
        only: { target: PEOPLE.Ben, service: 'iMessage' },
        beforeEffect: () => demo.narrator.fault('osascript ends with 0; the row gets error 22'),
      });
      await demo.rig.command('send_message_now', { thread_id: PEOPLE.Ben, text });
      await demo.seen();
    },
  },
  {
    title: 'A scheduled message, and one that is cancelled in time',
    async play(demo) {
      const thread_id = PEOPLE.Ben;
      const at = (ms: number) => new Date(Date.now() + ms).toISOString();
      demo.ledger.expect(thread_id, 'Reminder: dentist at four.');
      const kept = { thread_id, message_text: 'Reminder: dentist at four.', send_at: at(1200) };
      await demo.rig.command('schedule_message', kept);
      const cancelled = { thread_id, message_text: 'Nobody must ever see this.', send_at: at(1500) };
      const schedule_id = await demo.rig.command('schedule_message', cancelled);
      await demo.rig.command('cancel_scheduled', { schedule_id });
      demo.narrator.wire('both are due in about a second; the second one is cancelled');
      await demo.seen();
      await demo.until(() => Date.now() > Date.parse(cancelled.send_at) + 300);
    },
  },
  {
    title: 'The WebSocket is cut: the answer comes by HTTP, commands by polling',
    async play(demo) {
      demo.rig.cable.cut();
      demo.narrator.fault('cable cut');
      await demo.until(async () => !(await demo.rig.agent.status()).websocket.up);
      demo.write('Ann', 'are you there?', { answer: ['yes!', 'The socket was cut, so this came by HTTP.'] });
      await demo.seen();
      demo.ledger.expect(PEOPLE.Ann, 'This one was fetched by polling.');
      await demo.rig.command('send_message_now', { thread_id: PEOPLE.Ann, text: 'This one was fetched by polling.' });
      await demo.seen();
      demo.rig.cable.mend();
      await demo.until(async () => (await demo.rig.agent.status()).websocket.up);
      demo.narrator.wire('cable mended, the socket is back');
    },
  },
  {
    title: 'The agent is killed (SIGKILL) in mid-send and started again',
    async play(demo) {
      const { agent, mac } = demo.rig;
      mac.messages.behave({});
      mac.messages.behave({
        afterEffect: async () => {
          await agent.kill('SIGKILL');
          demo.narrator.fault('SIGKILL: the bubble is out, the agent does not know');
          setTimeout(() => {
            agent.start();
            demo.narrator.wire('launchd starts it again');
          }, 300);
        },
      });
      demo.write('Cleo', 'tell me a story', {
        answer: ['There was a daemon on a Mac.', 'It was killed in mid-sentence.', 'It went on where it had stopped.'],
      });
      await demo.seen();
      await agent.ready((status) => status.websocket.up);
    },
  },
  {
    title: 'Thirty texts from three people, then ten commands (only what the phones show)',
    async play(demo) {
      demo.narrator.isBrief = true;
      const people = Object.keys(PEOPLE) as (keyof typeof PEOPLE)[];
      for (let n = 0; n < 30; n++) {
        demo.write(people[n % people.length]!, `ping ${n}`, { answer: [`pong to ping ${n}`], quiet: true });
        // An answer waits for none that is not there yet: two texts of one person at once may be answered either way round.
        if (n % people.length === people.length - 1) await demo.seen();
      }
      for (let n = 0; n < 10; n++) {
        const thread_id = Object.values(PEOPLE)[n % people.length]!;
        demo.ledger.expect(thread_id, `command ${n}`);
        await demo.rig.command('send_message_now', { thread_id, text: `command ${n}` });
        await demo.seen();
      }
    },
  },
];
