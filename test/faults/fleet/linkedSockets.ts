import { EventEmitter } from 'node:events';
import { WebSocket } from 'ws';

/** One end of a connection that is only in memory: as much of ws as both sides use. */
export class SocketEnd extends EventEmitter {
  readonly OPEN = WebSocket.OPEN;
  readonly CLOSED = WebSocket.CLOSED;
  readonly CONNECTING = WebSocket.CONNECTING;
  readonly CLOSING = WebSocket.CLOSING;
  readonly bufferedAmount = 0;
  readonly isPaused = false;
  readyState: number = WebSocket.CONNECTING;
  peer: SocketEnd | undefined;

  /** As ws has it on both sides: open, and nothing heard yet. */
  static pair(near: SocketEnd): SocketEnd {
    const far = new SocketEnd();
    near.peer = far;
    far.peer = near;
    near.readyState = WebSocket.OPEN;
    far.readyState = WebSocket.OPEN;
    return far;
  }

  send(text: string): void {
    const { peer } = this;
    queueMicrotask(() => {
      if (peer?.readyState === WebSocket.OPEN) peer.emit('message', Buffer.from(text), false);
    });
  }

  close(code = 1005, reason = ''): void {
    this.peer?.end(code, reason);
    this.end(code, reason);
  }

  terminate(): void {
    this.close(1006);
  }

  pause(): void {}

  resume(): void {}

  /** This end has heard that the connection is over. */
  end(code: number, reason: string): void {
    if (this.readyState === WebSocket.CLOSED) return;
    this.readyState = WebSocket.CLOSED;
    queueMicrotask(() => this.emit('close', code, Buffer.from(reason)));
  }
}

/** What `end` is to code that knows ws. */
export function asWebSocket(end: SocketEnd): WebSocket {
  return end as unknown as WebSocket;
}
