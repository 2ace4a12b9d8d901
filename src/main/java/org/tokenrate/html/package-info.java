/**
 * One HTML file that needs nothing else: page, theme, tables and charts. Everything written is
 * escaped, for its text may be from anyone. Knows nothing of results.
 */
package org.tokenrate.html;
