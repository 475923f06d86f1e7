/* No licence. */
int a;
