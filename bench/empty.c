/* SPDX-License-Identifier: Apache-2.0 */
/* The least that a static program takes to start and end (bench/size). */
int main(void)
{
	return 0;
}
