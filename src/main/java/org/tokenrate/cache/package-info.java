/**
 * Where on disk is kept what can be made again: the built-in model, digests of models. Imports
 * nothing of ours.
 */
package org.tokenrate.cache;
