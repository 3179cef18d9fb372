/** The address of a connection's chats, or of one chat of them. */
export function chatHref(connectionId: string, chatId: string | null): string {
  const query = new URLSearchParams({ connection: connectionId, ...(chatId !== null && { chat: chatId }) });
  return `/conversations?${query}`;
}
