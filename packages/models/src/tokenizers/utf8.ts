/** Bytes that grow, and text as UTF-8 in memory that is reused: tokenizers work on bytes, one text after the other. */

export class ByteBuffer {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  length = 0;

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.length + count, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  push(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  /** Replaces the contents with a text; a lone surrogate becomes U+FFFD. */
  setText(text: string): void {
    this.length = 0;
    this.reserve(3 * text.length); // a UTF-16 unit takes at most three bytes
    this.length = encoder.encodeInto(text, this.bytes).written;
  }
}

const encoder = new TextEncoder();
