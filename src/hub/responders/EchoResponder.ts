import { type Answer, type IncomingMessage, type Responder, SILENCE } from './Responder.ts';

/** Says back what it was told, in one bubble; silent to a message without text. */
export class EchoResponder implements Responder {
  async respond(message: IncomingMessage): Promise<Answer> {
    return message.text === '' ? SILENCE : { should_respond: true, bubbles: [message.text] };
  }
}
