export function ConnectionNewPage() {
  return null;
}
