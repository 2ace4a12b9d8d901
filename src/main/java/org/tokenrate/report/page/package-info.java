/**
 * What runs measured, as one page: summary, charts, table, environment. Reads result files only,
 * and trusts none of them.
 */
package org.tokenrate.report.page;
