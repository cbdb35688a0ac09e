/** `text` with the secret blotted out: error pages and close reasons may echo what was sent. */
export function withoutSecret(text: string, secret: string | undefined): string {
  return secret ? text.replaceAll(secret, '[secret]') : text;
}
